import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { execa } from "execa";

import { aDaemon } from "./daemon.ts";

/** Debian's containerd, with a root and a state of its own; it starts no containers, so it needs no network. */
export interface Containerd extends AsyncDisposable {
  /** `ctr -n k8s.io ARGS`, as an administrator of a node calls it. @returns what it printed */
  ctr(...args: readonly string[]): Promise<string>;
  /** The line of a script that is `ctr` of this containerd, or `k3s`, which has it as a word. */
  asNode(program: string): string;
}

const binary = "/usr/bin/containerd";
const client = "/usr/bin/ctr";

/** Why no containerd can be started on this machine, or undefined when one can. */
export function containerdUnavailable(): string | undefined {
  if (process.getuid?.() !== 0) return "containerd wants to be root";
  return existsSync(binary) ? undefined : `there is no ${binary}: install Debian's containerd`;
}

/** Why it cannot unpack images on this machine, which takes mounts, or undefined when it can. */
export function unpackingUnavailable(): string | undefined {
  const { status, stderr } = spawnSync("unshare", ["-m", "mount", "--bind", "/tmp", "/tmp"], { encoding: "utf8" });
  return status === 0 ? undefined : `nothing may be mounted here: ${stderr.trim()}`;
}

export async function aContainerd(): Promise<Containerd> {
  // A socket's path may have 107 bytes.
  const directory = await mkdtemp(join(tmpdir(), "ctrd-"));
  const socket = join(directory, "c.sock");
  const config = {
    version: 2,
    root: join(directory, "root"),
    state: join(directory, "state"),
    "grpc.address": socket,
    "ttrpc.address": join(directory, "t.sock"),
    disabled_plugins: ["io.containerd.grpc.v1.cri"],
  };
  const lines = Object.entries(config).map(([key, value]) => `${key} = ${JSON.stringify(value)}`);
  await writeFile(join(directory, "config.toml"), `${lines.join("\n")}\n`);
  const args = ["--config", "config.toml", "--log-level", "error"];
  const daemon = aDaemon({ name: "containerd", command: binary, args, directory });
  const ctr: Containerd["ctr"] = async (...words) => {
    const env = { PATH: process.env["PATH"] ?? "", HOME: directory };
    const { stdout } = await execa(client, ["--address", socket, "-n", "k8s.io", ...words], { env, extendEnv: false });
    return stdout;
  };
  const containerd: Containerd = {
    ctr,
    asNode: (program) => `${program === "ctr" ? "" : "shift; "}exec ${client} --address ${socket} "$@"`,
    async [Symbol.asyncDispose]() {
      await daemon[Symbol.asyncDispose]();
      await rm(directory, { recursive: true, force: true, maxRetries: 3 });
    },
  };
  try {
    await daemon.until(() => ctr("version"));
  } catch (error) {
    await containerd[Symbol.asyncDispose]();
    throw error;
  }
  return containerd;
}
