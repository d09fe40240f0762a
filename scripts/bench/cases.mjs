// @ts-check
// What is compared with what, and how far apart they may be.
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as floors from "./floors.mjs";
import { delayed, registry } from "./services.mjs";

/**
 * @typedef {import("./measure.mjs").Side} Side
 * @typedef {{ readonly id: string, readonly a: Side, readonly b: Side, readonly wall?: number, readonly cpu?: number, readonly rss?: number, readonly peer?: boolean }} Case
 *   `wall`: the most that A may take, in B's; `cpu`: of the same; `rss`: MiB of A; `peer`: B does the same job
 * @typedef {import("./content.mjs").Item} Item
 * @typedef {{ readonly directory: string, readonly source: string, readonly slow: string, readonly images: readonly Item[], readonly artifacts: readonly Item[], readonly ours: string, readonly peers: ReadonlyMap<string, string> }} Bench
 *   `source` and `slow` are one registry, straight and behind the delay; `ours` is how the program is started
 */

export const oneWayMilliseconds = 25;
/** dist/, copied into the folder where all commands run. */
export const script = "node program/main.mjs";
const skopeo = "skopeo --insecure-policy";
/** Everywhere the same, whoever serves it: bundles of two runs are equal. */
const origin = "registry.bench.internal";

/** What the cases find ready: the bundle, and what the floors and the peers push from. @param {Bench} bench @returns {Promise<readonly Side[]>} */
export async function preparations(bench) {
  const { directory, source, images, ours } = bench;
  await writeFile(join(directory, "images.yaml"), spec(source, images));
  await floors.prepare(bench);
  return [
    { name: "bundle of images", script: `${ours} build images.yaml --out images.tar` },
    { name: "layout of images", script: copiesTo("images-layout", source, images) },
  ];
}

/** @param {Bench} bench @returns {Promise<readonly Side[]>} */
export async function distantPreparations({ directory, source, slow, artifacts, ours }) {
  await writeFile(join(directory, "artifacts.yaml"), spec(source, artifacts));
  await writeFile(join(directory, "artifacts-slow.yaml"), spec(slow, artifacts));
  await writeFile(join(directory, "artifacts-sync.yaml"), syncList(source, artifacts));
  await writeFile(join(directory, "artifacts-slow-sync.yaml"), syncList(slow, artifacts));
  const sync = `${skopeo} sync --all --src yaml --dest dir --src-tls-verify=false artifacts-sync.yaml artifacts-dir`;
  return [
    { name: "bundle of artifacts", script: `${ours} build artifacts.yaml --out artifacts.tar` },
    { name: "skopeo dir of artifacts", script: sync },
  ];
}

/** @param {Bench} bench @returns {readonly Case[]} */
export function cases(bench) {
  return [...building(bench), ...verifying(bench), ...pushing(bench)];
}

/** @param {Bench} bench @returns {readonly Case[]} */
function building(bench) {
  const { directory, source, images, peers, ours } = bench;
  const side = sidesThatWrite(directory, "built.tar", "built.tar.lock.json", "layout", "pulled");
  const packed = (/** @type {string} */ pull) => `${pull} && tar -cf built.tar -C layout .`;
  const build = side("build", `${ours} build images.yaml --out built.tar`);
  const dist = side("build, dist on this Node", `${script} build images.yaml --out built.tar`);
  const pulls = images.map(({ name }) => `${source}/bench/${name}:1`).join(" ");
  const cases = [
    { id: "build, floor", a: build, b: side("curl --parallel, openssl dgst", floors.pull), wall: 1.3, rss: 160 },
    ...(ours === script ? [] : [{ id: "build, dist", a: build, b: dist }]),
    peer("build, skopeo", build, side("skopeo copy ×n, tar", packed(copiesTo("layout", source, images)))),
  ];
  const crane = peers.get("crane");
  if (crane !== undefined) {
    const pull = `'${crane}' pull --insecure --format oci ${pulls} layout`;
    cases.push(peer("build, crane", build, side("crane pull --format oci, tar", packed(pull))));
  }
  const oras = peers.get("oras");
  if (oras !== undefined) {
    const copy = `'${oras}' copy -r --from-plain-http --to-oci-layout --no-tty ${source}/bench`;
    const all = images.map(({ name }) => `${copy}/${name}:1 layout:${name} > oras.log`).join(" && ");
    cases.push(peer("build, oras", build, side("oras copy ×n, tar", packed(all))));
  }
  const regctl = peers.get("regctl");
  if (regctl !== undefined) {
    const copy = `'${regctl}' --host reg=${source},tls=disabled image copy ${source}/bench`;
    const all = images.map(({ name }) => `${copy}/${name}:1 ocidir://layout:${name}`).join(" && ");
    cases.push(peer("build, regctl", build, side("regctl image copy ×n, tar", packed(all))));
  }
  return cases;
}

/** @param {Bench} bench @returns {readonly Case[]} */
function verifying({ ours }) {
  const pinned = (/** @type {string} */ command) => `taskset -c 0 ${command}`;
  const verify = `${ours} verify images.tar`;
  const openssl = "openssl dgst -sha256 images.tar";
  const side = (/** @type {string} */ name, /** @type {string} */ command) => ({
    name,
    script: command,
    reads: ["images.tar"],
  });
  const one = side("verify, one processor", pinned(verify));
  return [
    { id: "verify, one thread", a: one, b: side("openssl dgst", pinned(openssl)), wall: 1.1 },
    {
      id: "verify",
      a: side("verify", verify),
      b: side("openssl dgst", openssl),
      wall: 0.6,
      rss: 80,
    },
  ];
}

/** @param {Bench} bench @returns {readonly Case[]} */
function pushing(bench) {
  const { images, peers, ours } = bench;
  const to = (/** @type {string} */ name, /** @type {string} */ command, reads = "images-layout") =>
    target(bench, { name, script: command, reads: [reads] }, 0);
  const push = to("push", `${ours} push images.tar --site site-0.yaml`, "images.tar");
  const copies = images.map(
    ({ name }) =>
      `${skopeo} copy -q --all --dest-tls-verify=false oci:images-layout:${name} "docker://$(cat target-0)/${name}:1"`,
  );
  const cases = [
    { id: "push, floor", a: push, b: to("the same requests by curl", floors.push("target-0")), wall: 1.05, rss: 80 },
    peer("push, skopeo", push, to("skopeo copy ×n", copies.join(" && "))),
  ];
  const regctl = peers.get("regctl");
  if (regctl !== undefined) {
    const copy = `'${regctl}' --host "reg=$(cut -d/ -f1 target-0),tls=disabled" image copy`;
    const all = images.map(({ name }) => `${copy} ocidir://images-layout:${name} "$(cat target-0)/${name}:1"`);
    cases.push(peer("push, regctl", push, to("regctl image copy ×n", all.join(" && "))));
  }
  const oras = peers.get("oras");
  if (oras !== undefined) {
    const copy = `'${oras}' copy -r --to-plain-http --from-oci-layout --no-tty`;
    const all = images.map(({ name }) => `${copy} images-layout:${name} "$(cat target-0)/${name}:1" > oras.log`);
    cases.push(peer("push, oras", push, to("oras copy ×n", all.join(" && "))));
  }
  return cases;
}

/** To be ahead of each, and to cost little more than the thriftiest. @param {string} id @param {Side} a @param {Side} b @returns {Case} */
function peer(id, a, b) {
  return { id, a, b, wall: 1, peer: true };
}

/** They wait for the wire nearly all of their time. @param {Bench} bench @returns {readonly Case[]} */
export function distant(bench) {
  const { directory, ours } = bench;
  const side = sidesThatWrite(directory, "pulled.tar", "pulled.tar.lock.json", "pulled-dir");
  const pull = side("build, N=8", `${ours} build artifacts-slow.yaml --out pulled.tar --concurrency 8`);
  const sync = `${skopeo} sync --all --src yaml --dest dir --src-tls-verify=false artifacts-slow-sync.yaml pulled-dir`;
  const push = {
    name: "push, N=8",
    script: `${ours} push artifacts.tar --site site-${oneWayMilliseconds}.yaml --concurrency 8`,
  };
  const syncBack = {
    name: "skopeo sync dir→docker",
    script: `${skopeo} sync --all --scoped --src dir --dest docker --dest-tls-verify=false artifacts-dir "$(cat target-${oneWayMilliseconds})"`,
  };
  return [
    { id: "pull, 50 ms", a: pull, b: side("skopeo sync docker→dir", sync), wall: 0.08 },
    {
      id: "push, 50 ms",
      a: target(bench, push, oneWayMilliseconds),
      b: target(bench, syncBack, oneWayMilliseconds),
      wall: 0.05,
    },
  ];
}

/** @param {string} layout @param {string} source @param {readonly Item[]} items */
function copiesTo(layout, source, items) {
  const copy = `${skopeo} copy -q --all --src-tls-verify=false docker://${source}/bench`;
  return items.map(({ name }) => `${copy}/${name}:1 oci:${layout}:${name}`).join(" && ");
}

/** Every run pushes into a registry that is empty. @param {Bench} bench @param {Side} side @param {number} oneWay @returns {Side} */
function target({ directory }, side, oneWay) {
  /** @type {import("./services.mjs").Service[]} */
  let services = [];
  return {
    ...side,
    async before() {
      const empty = await registry(join(directory, `target-registry-${oneWay}`));
      const way = oneWay === 0 ? empty : await delayed(empty.host, oneWay);
      services = way === empty ? [empty] : [way, empty];
      await writeFile(join(directory, `target-${oneWay}`), `${way.host}/bench`);
      await writeFile(join(directory, `site-${oneWay}.yaml`), site(way.host));
    },
    async after() {
      for (const service of services) await service.close();
    },
  };
}

/** @param {string} host @param {readonly Item[]} items */
function spec(host, items) {
  return JSON.stringify({
    apiVersion: "higress-airgap/v1",
    kind: "BundleSpec",
    name: "bench",
    version: "1",
    images: items.map(({ name, platforms }) => ({ ref: `${origin}/bench/${name}:1`, platforms })),
    registries: { [origin]: { endpoints: [{ url: `http://${host}` }] } },
  });
}

/** @param {string} host */
export function site(host) {
  const target = { host, project: "bench", plainHttp: true };
  return JSON.stringify({ apiVersion: "higress-airgap/v1", kind: "Site", registry: target });
}

/** @param {string} host @param {readonly Item[]} items */
function syncList(host, items) {
  const images = Object.fromEntries(items.map(({ name }) => [`bench/${name}`, ["1"]]));
  return JSON.stringify({ [host]: { "tls-verify": false, images } });
}

/** Neither finds what the other has left. @param {string} directory @param {...string} names what is written there */
function sidesThatWrite(directory, ...names) {
  const clean = async () => {
    for (const name of names) await rm(join(directory, name), { recursive: true, force: true });
  };
  return (/** @type {string} */ name, /** @type {string} */ command) => ({
    name,
    script: command,
    before: clean,
    after: clean,
  });
}
