// @ts-check
// What is compared with what, and how far apart they may be.
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { delayed, registry } from "./services.mjs";

/**
 * @typedef {import("./measure.mjs").Side} Side
 * @typedef {{ readonly id: string, readonly a: Side, readonly b: Side, readonly wall?: number, readonly rss?: number, readonly runs?: number }} Case
 *   `wall`: the most that A may take, in B's; `rss`: MiB of A
 * @typedef {{ readonly directory: string, readonly source: string, readonly slow: string, readonly images: readonly import("./content.mjs").Item[], readonly artifacts: readonly import("./content.mjs").Item[], readonly peers: ReadonlyMap<string, string> }} Bench
 *   `source` and `slow` are one registry, straight and behind the delay
 */

export const oneWayMilliseconds = 25;
/** A copy of dist/, in the folder where all commands run. */
const ours = "node program/main.mjs";
const skopeo = "skopeo --insecure-policy";
/** Everywhere the same, whoever serves it: bundles of two runs are equal. */
const origin = "registry.bench.internal";

/** @param {Bench} bench @returns {readonly Case[]} */
export function cases(bench) {
  return [...building(bench), ...verifying(), ...pushing(bench)];
}

/** What the cases find ready: bundles, and what skopeo pushes from. @param {Bench} bench @returns {Promise<readonly Side[]>} */
export async function preparations(bench) {
  const { directory, source, slow, images, artifacts } = bench;
  await writeFile(join(directory, "images.yaml"), spec(source, images));
  await writeFile(join(directory, "artifacts.yaml"), spec(source, artifacts));
  await writeFile(join(directory, "artifacts-slow.yaml"), spec(slow, artifacts));
  await writeFile(join(directory, "images-sync.yaml"), syncList(source, images));
  await writeFile(join(directory, "artifacts-sync.yaml"), syncList(source, artifacts));
  await writeFile(join(directory, "artifacts-slow-sync.yaml"), syncList(slow, artifacts));
  const sync = (/** @type {string} */ list, /** @type {string} */ to) =>
    `${skopeo} sync --all --src yaml --dest dir --src-tls-verify=false ${list} ${to}`;
  return [
    { name: "bundle of images", script: `${ours} build images.yaml --out images.tar` },
    { name: "bundle of artifacts", script: `${ours} build artifacts.yaml --out artifacts.tar` },
    { name: "layout of images", script: copiesTo("images-layout", source, images) },
    { name: "skopeo dir of images", script: sync("images-sync.yaml", "images-dir") },
    { name: "skopeo dir of artifacts", script: sync("artifacts-sync.yaml", "artifacts-dir") },
  ];
}

/** @param {Bench} bench @returns {readonly Case[]} */
function building(bench) {
  const { directory, source, images, peers } = bench;
  const clean = () => remove(directory, "built.tar", "built.tar.lock.json", "layout");
  const build = { name: "build", script: `${ours} build images.yaml --out built.tar`, before: clean, after: clean };
  const layout = `${copiesTo("layout", source, images)} && tar -cf built.tar -C layout .`;
  const floor = "cp images.tar built.tar && openssl dgst -sha256 images.tar";
  const crane = peers.get("crane");
  const pulls = images.map(({ name }) => `${source}/bench/${name}:1`).join(" ");
  const craned = `'${crane}' pull --insecure --format oci ${pulls} layout && tar -cf built.tar -C layout .`;
  const side = (/** @type {string} */ name, /** @type {string} */ script) => ({
    name,
    script,
    before: clean,
    after: clean,
  });
  return [
    { id: "build, floor", a: build, b: side("cp + openssl dgst", floor), wall: 1.5, rss: 160 },
    { id: "build, skopeo", a: build, b: side("skopeo copy ×n, tar", layout), wall: 0.4 },
    ...(crane === undefined ? [] : [{ id: "build, crane", a: build, b: side("crane pull --format oci, tar", craned) }]),
  ];
}

/** @returns {readonly Case[]} */
function verifying() {
  const pinned = (/** @type {string} */ script) => `taskset -c 0 ${script}`;
  const verify = `${ours} verify images.tar`;
  const openssl = "openssl dgst -sha256 images.tar";
  const one = { name: "verify, one processor", script: pinned(verify) };
  return [
    { id: "verify, one thread", a: one, b: { name: "openssl dgst", script: pinned(openssl) }, wall: 1.15 },
    {
      id: "verify",
      a: { name: "verify", script: verify },
      b: { name: "openssl dgst", script: openssl },
      wall: 0.65,
      rss: 80,
    },
  ];
}

/** @param {Bench} bench @returns {readonly Case[]} */
function pushing(bench) {
  const push = target(bench, { name: "push", script: `${ours} push images.tar --site site-0.yaml` }, 0);
  const sync = target(bench, { name: "skopeo sync dir→docker", script: syncTo("images-dir", 0) }, 0);
  const regctl = bench.peers.get("regctl");
  const copies = bench.images.map(
    ({ name }) =>
      `'${regctl}' --host "reg=$(cut -d/ -f1 target-0),tls=disabled" image copy ocidir://images-layout:${name} "$(cat target-0)/${name}:1"`,
  );
  const copied = target(bench, { name: "regctl image copy ×n", script: copies.join(" && ") }, 0);
  return [
    { id: "push, skopeo", a: push, b: sync, wall: 0.6, rss: 80 },
    ...(regctl === undefined ? [] : [{ id: "push, regctl", a: push, b: copied }]),
  ];
}

/** They wait for the wire nearly all of their time. @param {Bench} bench @returns {readonly Case[]} */
export function distant(bench) {
  const { directory } = bench;
  const clean = () => remove(directory, "pulled.tar", "pulled.tar.lock.json", "pulled-dir");
  const side = (/** @type {string} */ name, /** @type {string} */ script) => ({
    name,
    script,
    before: clean,
    after: clean,
  });
  const pull = side("build, N=8", `${ours} build artifacts-slow.yaml --out pulled.tar --concurrency 8`);
  const sync = `${skopeo} sync --all --src yaml --dest dir --src-tls-verify=false artifacts-slow-sync.yaml pulled-dir`;
  const push = {
    name: "push, N=8",
    script: `${ours} push artifacts.tar --site site-${oneWayMilliseconds}.yaml --concurrency 8`,
  };
  const syncBack = { name: "skopeo sync dir→docker", script: syncTo("artifacts-dir", oneWayMilliseconds) };
  return [
    { id: "pull, 50 ms", a: pull, b: side("skopeo sync docker→dir", sync), wall: 0.08 },
    {
      id: "push, 50 ms",
      a: target(bench, push, oneWayMilliseconds),
      b: target(bench, syncBack, oneWayMilliseconds),
      wall: 0.06,
    },
  ];
}

/** @param {string} layout @param {string} source @param {Bench["images"]} items */
function copiesTo(layout, source, items) {
  const copy = `${skopeo} copy -q --all --src-tls-verify=false docker://${source}/bench`;
  return items.map(({ name }) => `${copy}/${name}:1 oci:${layout}:${name}`).join(" && ");
}

/** @param {string} from @param {number} oneWay */
function syncTo(from, oneWay) {
  return `${skopeo} sync --all --scoped --src dir --dest docker --dest-tls-verify=false ${from} "$(cat target-${oneWay})"`;
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

/** @param {string} host @param {readonly import("./content.mjs").Item[]} items */
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
function site(host) {
  const target = { host, project: "bench", plainHttp: true };
  return JSON.stringify({ apiVersion: "higress-airgap/v1", kind: "Site", registry: target });
}

/** @param {string} host @param {readonly import("./content.mjs").Item[]} items */
function syncList(host, items) {
  const images = Object.fromEntries(items.map(({ name }) => [`bench/${name}`, ["1"]]));
  return JSON.stringify({ [host]: { "tls-verify": false, images } });
}

/** @param {string} directory @param {...string} names */
async function remove(directory, ...names) {
  for (const name of names) await rm(join(directory, name), { recursive: true, force: true });
}
