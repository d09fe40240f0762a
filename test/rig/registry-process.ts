import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { aDaemon } from "./daemon.ts";
import { freePort } from "./free-port.ts";
import { exchange } from "./kubelet/exchange.ts";

export interface DockerRegistryOptions {
  /** Asks for Basic credentials, and takes these. */
  readonly htpasswd?: {
    readonly user: string;
    readonly password: string;
    /** A name, unless told; the Istio agent of 1.27.8 and later takes only a URL. */
    readonly realm?: string;
  };
  /** Files in PEM; without them it speaks plain HTTP. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string };
  readonly readOnly?: boolean;
}

/** Debian's docker-registry (CNCF Distribution 2.8) on loopback, with storage of its own. */
export interface DockerRegistry extends AsyncDisposable {
  /** `127.0.0.1:port` */
  readonly host: string;
  readonly url: string;
  logs(): Promise<string>;
}

const binary = "/usr/bin/docker-registry";

/** Why no registry can be started on this machine, or undefined when one can. */
export function dockerRegistryUnavailable(): string | undefined {
  return existsSync(binary) ? undefined : `there is no ${binary}: install Debian's docker-registry`;
}

export async function aDockerRegistry(options: DockerRegistryOptions = {}): Promise<DockerRegistry> {
  const { htpasswd, tls, readOnly = false } = options;
  const directory = await mkdtemp(join(tmpdir(), "higress-airgap-registry-"));
  const host = `127.0.0.1:${String(await freePort())}`;
  const url = `${tls === undefined ? "http" : "https"}://${host}`;
  const config = {
    version: 0.1,
    log: { level: "error", accesslog: { disabled: true } },
    storage: {
      filesystem: { rootdirectory: join(directory, "storage") },
      delete: { enabled: true },
      maintenance: { readonly: { enabled: readOnly }, uploadpurging: { enabled: false } },
    },
    http: {
      addr: host,
      secret: "of a test",
      ...(tls !== undefined && { tls: { certificate: tls.certFile, key: tls.keyFile } }),
    },
    // On, it fetches the urls of foreign layers.
    validation: { disabled: true },
    ...(htpasswd !== undefined && {
      auth: { htpasswd: { realm: htpasswd.realm ?? "test", path: join(directory, "htpasswd") } },
    }),
  };
  await writeFile(join(directory, "config.yml"), JSON.stringify(config));
  if (htpasswd !== undefined) await writeFile(join(directory, "htpasswd"), htpasswdLine(htpasswd), { mode: 0o600 });

  const daemon = aDaemon({ name: "docker-registry", command: binary, args: ["serve", "config.yml"], directory });
  const registry: DockerRegistry = {
    host,
    url,
    logs: () => daemon.log(),
    async [Symbol.asyncDispose]() {
      await daemon[Symbol.asyncDispose]();
      await rm(directory, { recursive: true, force: true, maxRetries: 3 });
    },
  };
  try {
    await daemon.until(() => answers(url));
  } catch (error) {
    await registry[Symbol.asyncDispose]();
    throw error;
  }
  return registry;
}

/** Whether it speaks; a certificate that we do not trust here is spoken, too. */
async function answers(url: string): Promise<boolean> {
  try {
    const { status } = await exchange({ url: new URL("/v2/", url), method: "GET" });
    return status === 200 || status === 401;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ECONNREFUSED";
  }
}

/** The registry takes bcrypt only, which Node does not have; the crypt(3) of Debian's perl-base does. */
function htpasswdLine({ user, password }: { user: string; password: string }): string {
  const program = 'chomp(my $p = <STDIN>); print crypt($p, q($2b$05$) . "abcdefghijklmnopqrstuu")';
  const { stdout, stderr, status } = spawnSync("perl", ["-e", program], { input: password, encoding: "utf8" });
  if (status !== 0 || !stdout.startsWith("$2b$")) throw new Error(`perl cannot make a bcrypt hash: ${stderr}`);
  return `${user}:${stdout}\n`;
}
