import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import * as z from "zod";
import type { Lock } from "../../src/model/lock.ts";
import { parseReference } from "../../src/model/reference.ts";
import { writeSampleSite } from "../../test/rig/sample-site.ts";
import type { Tools } from "../../test/rig/tools.ts";
import { aDemoCluster } from "./cluster.ts";
import { bundleName, type Built, type Scene } from "./connected-host.ts";
import type { Program } from "./program.ts";
import { aRegistry } from "./registry.ts";

const host = "harbor.closed.example";

export interface Closed {
  /** Image references in what is applied, or in the cluster's pulls: all of them under the closed registry. */
  readonly images: number;
  readonly installed: boolean;
  /** What `serve` answered, with the digest that was built. */
  readonly served: string;
}

const Proof = z.object({ findings: z.array(z.unknown()), images: z.int().min(1) });

/** Everything here is done with the carried file alone. */
export async function workOnClosedHost(
  built: Built,
  scene: Scene & { readonly program: Program; readonly tools: Tools },
): Promise<Closed> {
  const { program, screen, words } = scene;
  const folder = dirname(built.bundle);
  screen.title(words.closed);
  await program.run(folder, "inspect", bundleName);
  await program.run(folder, "verify", bundleName);
  await using target = await aRegistry();
  await using cluster = await aDemoCluster({ [host]: target.url });
  const kubeconfig = cluster === undefined ? {} : { kubeconfig: cluster.kubeconfig };
  await writeSampleSite(folder, { host, url: target.url, ...kubeconfig });
  screen.say(`\n${words.target(target.kind, target.url, host)}`);
  await program.run(folder, "push", bundleName, "--site", "site.yaml");
  await sameDigest(target.url, "higress", built.lock);
  screen.say(`\n${cluster === undefined ? words.noCluster : words.cluster}`);
  const images = cluster === undefined ? await render(folder, program) : await install(folder, program, cluster);
  return { images, installed: cluster !== undefined, served: await serve(folder, built, scene) };
}

async function render(folder: string, program: Program): Promise<number> {
  await program.run(folder, "render", bundleName, "--site", "site.yaml", "--out", "rendered");
  const proof = Proof.parse(JSON.parse(await readFile(join(folder, "rendered/proof.json"), "utf8")));
  if (proof.findings.length > 0) throw new Error("rendered/proof.json has findings");
  return proof.images;
}

async function install(folder: string, program: Program, cluster: { readonly pulled: () => readonly string[] }) {
  await program.run(folder, "install", bundleName, "--site", "site.yaml");
  const outside = cluster.pulled().filter((image) => !image.startsWith(`${host}/higress/`));
  if (outside.length > 0) throw new Error(`pulled from outside: ${outside.join(", ")}`);
  return new Set(cluster.pulled()).size;
}

async function serve(folder: string, { lock }: Built, { program, screen }: Scene & { readonly program: Program }) {
  await using server = await program.serve(folder, "serve", bundleName, "--port", "0");
  const reference = gatewayOf(lock).reference;
  const seen = await sameDigest(server.url, parseReference(reference).registry, lock);
  screen.command(`curl -I ${seen.url}`);
  screen.output(`docker-content-digest: ${seen.digest}`);
  return reference;
}

function gatewayOf(lock: Lock): Lock["items"][number] {
  const image = lock.items.find(({ kind, reference }) => kind === "image" && reference.includes("/gateway:"));
  if (image === undefined) throw new Error("the lock has no image of the gateway");
  return image;
}

/** Asks a registry for the gateway's image below `prefix`. @throws Error unless it is what was built */
async function sameDigest(origin: string, prefix: string, lock: Lock): Promise<{ url: string; digest: string }> {
  const { reference, root } = gatewayOf(lock);
  const { repository, tag } = parseReference(reference);
  const url = `${origin}/v2/${prefix}/${repository}/manifests/${tag ?? root.digest}`;
  const response = await fetch(url, { method: "HEAD", headers: { accept: root.mediaType } });
  const digest = response.headers.get("docker-content-digest") ?? `none (${String(response.status)})`;
  if (digest !== root.digest) throw new Error(`${url} is ${digest}, not ${root.digest}`);
  return { url, digest };
}
