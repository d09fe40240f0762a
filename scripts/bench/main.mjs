// @ts-check
// `npm run bench [-- --small] [-- --only TEXT]`: compares what is in dist/ with its peers and its floors, and writes
// docs/benchmarks.md. Minutes long, wants a quiet machine, and is no test: nothing fails here for being slow.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdir, rm, writeFile } from "node:fs/promises";
import { homedir, setPriority } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { cases, distant, oneWayMilliseconds, preparations } from "./cases.mjs";
import { artifacts, images, seed } from "./content.mjs";
import { compare, load, measure } from "./measure.mjs";
import { openings } from "./opening.mjs";
import { firstLine, page } from "./report.mjs";
import { delayed, registry } from "./services.mjs";

const { values: flags } = parseArgs({
  options: {
    small: { type: "boolean", default: false },
    only: { type: "string", default: "" },
    runs: { type: "string", default: "3" },
    "distant-runs": { type: "string", default: "3" },
    peers: { type: "string", default: join(homedir(), ".cache/bench-peers") },
    out: { type: "string", default: "docs/benchmarks.md" },
  },
});
const root = join(import.meta.dirname, "../..");
const directory = join(root, ".cache/bench");

/** Go programs that are there already; nothing is installed. */
function findPeers() {
  const found = new Map();
  for (const name of ["crane", "regctl"]) {
    const places = [...(process.env["PATH"] ?? "").split(":"), flags.peers].map((folder) => join(folder, name));
    const path = places.find((place) => existsSync(place));
    if (path !== undefined) found.set(name, path);
  }
  return found;
}

/** @param {string} text */
function say(text) {
  process.stdout.write(`${new Date().toISOString().slice(11, 19)} ${text}\n`);
}

/** The delay is made in this process: when it waits for a processor, the wire is longer than it should be. */
function raisePriority() {
  try {
    setPriority(-10);
  } catch {
    // Only root may; everybody else needs a quiet machine.
  }
}

async function run() {
  const started = new Date();
  raisePriority();
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  // Somebody may build while this runs: what is measured is a copy, from where it still finds its data files.
  await cp(join(root, "dist"), join(directory, "program"), { recursive: true });
  const source = await registry(join(directory, "source-registry"));
  const slow = await delayed(source.host, oneWayMilliseconds);
  try {
    const some = images(flags.small ? 1 / 16 : 1);
    const many = artifacts(40);
    const { unique } = await seed(source.host, some);
    const small = await seed(source.host, many);
    say(`content: ${unique} B of images, ${small.unique} B of artifacts; load ${await load()}`);
    const peers = findPeers();
    const bench = { directory, source: source.host, slow: slow.host, images: some, artifacts: many, peers };
    for (const side of await preparations(bench)) await measure(side, directory);
    const wanted = (/** @type {readonly import("./cases.mjs").Case[]} */ all) =>
      all.filter(({ id }) => id.includes(flags.only));
    const near = await measured(wanted(cases(bench)), Number(flags.runs));
    const far = wanted(distant(bench)).map((each) => measured([each], Number(flags["distant-runs"])));
    // Side by side: they wait for the wire nearly all of their time, and for minutes.
    const lines = [...near, ...(await Promise.all(far)).flat()];
    const node = { name: "node -e 0", script: "node -e 0" };
    const main = { name: "--version", script: `node program/main.mjs --version` };
    const version = await compare(main, node, 15, directory);
    say(`--version: ${version.wall.toFixed(2)} of node -e 0`);
    const results = { small: flags.small, started, unique, artifacts: small.unique, lines, version };
    const names = [firstLine("skopeo", ["--version"]), firstLine("openssl", ["version"]), ...[...peers].map(nameOf)];
    const text = page({ ...results, openings: await openings(directory), peers: names });
    await writeFile(join(root, flags.out), text);
    execFileSync("npx", ["--no-install", "prettier", "--write", "--log-level", "warn", join(root, flags.out)]);
    say(flags.out);
  } finally {
    await slow.close();
    await source.close();
    await rm(directory, { recursive: true, force: true });
  }
}

/** @param {readonly import("./cases.mjs").Case[]} all @param {number} runs */
async function measured(all, runs) {
  const lines = [];
  for (const { id, a, b, wall, rss } of all) {
    const pair = await compare(a, b, runs, directory);
    say(
      `${id}: ${pair.wall.toFixed(3)} of ${b.name} (${pair.a.wall.toFixed(2)} s, ${pair.b.wall.toFixed(2)} s), ${pair.a.rss.toFixed(0)} MiB, load ${pair.load}`,
    );
    lines.push({ id, a: a.name, b: b.name, pair, wall, rss });
  }
  return lines;
}

/** @param {[string, string]} peer */
function nameOf([name, path]) {
  const version = /v?\d+\.\d+\.\d+\S*/.exec(execFileSync(path, ["version"], { encoding: "utf8" }))?.[0];
  return `${name} ${version ?? ""}`.trim();
}

await run();
