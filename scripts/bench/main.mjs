// @ts-check
// `npm run bench [-- --size MIB]… [-- --only TEXT]`: compares what is shipped, the executable in dist-exe/ (where that
// was not built, dist/), with its peers and its floors, and writes docs/benchmarks.md. Half an hour long, wants a quiet
// machine and 40 GiB of disk, and is no test: nothing fails here for being slow.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { homedir, setPriority } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { fetchBase, nodeVersion } from "../exe/base.mjs";
import { cases, distant, distantPreparations, oneWayMilliseconds, preparations, script, site } from "./cases.mjs";
import { artifacts, images, seed } from "./content.mjs";
import { compare, firstWord, load, measure, median } from "./measure.mjs";
import { openings } from "./opening.mjs";
import { withReasons } from "./reasons.mjs";
import { firstLine, page } from "./report.mjs";
import { delayed, registry } from "./services.mjs";

const { values: flags } = parseArgs({
  options: {
    size: { type: "string", multiple: true, default: ["300", "1024", "4096"] },
    only: { type: "string", default: "" },
    runs: { type: "string", default: "3" },
    peers: { type: "string", default: join(homedir(), ".cache/bench-peers") },
    out: { type: "string", default: "docs/benchmarks.md" },
    // Measures nothing: tells the page that is there again why it misses what it misses.
    reasons: { type: "boolean", default: false },
  },
});
const root = join(import.meta.dirname, "../..");
const directory = join(root, ".cache/bench");
const architecture = process.arch === "arm64" ? "arm64" : "amd64";

/** Go programs that are there already; nothing is installed. */
function findPeers() {
  const found = new Map();
  for (const name of ["crane", "oras", "regctl"]) {
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

/** Somebody may build while this runs: what is measured is a copy. @returns {Promise<string>} how it is started */
async function copyProgram() {
  await cp(join(root, "dist"), join(directory, "program"), { recursive: true });
  const executable = join(root, "dist-exe", `higress-airgap-linux-${architecture}`);
  if (!existsSync(executable)) return script;
  await cp(executable, join(directory, "higress-airgap"));
  return "./higress-airgap";
}

async function run() {
  const started = new Date();
  raisePriority();
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  try {
    const program = { ours: await copyProgram(), peers: findPeers() };
    const sizes = [];
    for (const mebibytes of flags.size.map(Number)) sizes.push(await near(mebibytes, program));
    const far = await behindTheWire(program);
    const starts = await starting(program.ours);
    const firstWords = await speaking(program.ours);
    const peers = [
      firstLine("skopeo", ["--version"]),
      ...[...program.peers].map(nameOf),
      firstLine("openssl", ["version"]),
      firstLine("curl", ["--version"]).split(" (")[0] ?? "",
    ];
    const shipped =
      program.ours === script ? `dist/ on Node ${process.version}` : `the executable, with Node ${nodeVersion}`;
    const command = ["npm run bench", ...(process.argv.length > 2 ? ["--"] : []), ...process.argv.slice(2)].join(" ");
    const opened = await openings(directory, program.ours);
    const text = page({
      command,
      program: shipped,
      started,
      sizes,
      ...far,
      starts,
      firstWords,
      openings: opened,
      peers,
    });
    await writePage(text);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** @param {string} text */
async function writePage(text) {
  const path = resolve(root, flags.out);
  await writeFile(path, withReasons(text));
  execFileSync("npx", ["--no-install", "prettier", "--write", "--log-level", "warn", path]);
  say(flags.out);
}

/** @typedef {Pick<import("./cases.mjs").Bench, "ours" | "peers">} Program */

/** All that is compared on content of one size. @param {number} mebibytes @param {Program} program */
async function near(mebibytes, program) {
  const source = await registry(join(directory, "source-registry"));
  try {
    const content = images(mebibytes / 1024);
    const { unique } = await seed(source.host, content);
    say(`content: ${unique} B of images; load ${await load()}`);
    const bench = { directory, source: source.host, slow: source.host, images: content, artifacts: [], ...program };
    for (const side of await preparations(bench)) await measure(side, directory);
    return { bytes: unique, lines: await measured(cases(bench)) };
  } finally {
    await source.close();
    for (const name of ["images.tar", "images.tar.lock.json", "images-layout", "sent", "headers"])
      await rm(join(directory, name), { recursive: true, force: true });
  }
}

/** @param {Program} program */
async function behindTheWire(program) {
  const source = await registry(join(directory, "source-registry"));
  const slow = await delayed(source.host, oneWayMilliseconds);
  try {
    const content = artifacts(40);
    const { unique } = await seed(source.host, content);
    const bench = { directory, source: source.host, slow: slow.host, images: [], artifacts: content, ...program };
    for (const side of await distantPreparations(bench)) await measure(side, directory);
    // Side by side: they wait for the wire nearly all of their time, and for minutes.
    const lines = await Promise.all(distant(bench).map((each) => measured([each])));
    return { artifacts: unique, distant: lines.flat() };
  } finally {
    await slow.close();
    await source.close();
  }
}

/** Beside the Node that it is made of, which starts and does nothing. @param {string} ours */
async function starting(ours) {
  const { node } = await fetchBase(architecture, directory);
  const version = { name: "--version", script: `${ours} --version` };
  const own = await compare(
    version,
    { name: "node -e 0", script: `'${ours === script ? "node" : node}' -e 0` },
    15,
    directory,
  );
  const dist = await compare(
    { name: "--version", script: `${script} --version` },
    { name: "node -e 0", script: "node -e 0" },
    15,
    directory,
  );
  say(`--version: ${own.wall.toFixed(2)} of node -e 0; dist ${dist.wall.toFixed(2)}`);
  return [
    { what: "`--version` / `node -e 0` of the same Node", target: 1.5, pair: own },
    { what: "`--version` of dist / `node -e 0`", target: 1.5, pair: dist },
  ];
}

/** What an operator waits for before anything stands on the screen. @param {string} ours */
async function speaking(ours) {
  const there = await registry(join(directory, "target-registry-0"));
  try {
    await writeFile(join(directory, "site-0.yaml"), site(there.host));
    await measure(
      {
        name: "bundle of artifacts",
        script: `[ -e artifacts.tar ] || ${ours} build artifacts.yaml --out artifacts.tar`,
      },
      directory,
    );
    const commands = [
      ["`preflight`, first words", `${ours} preflight artifacts.tar --site site-0.yaml`],
      ["`status`, first words", `${ours} status --site site-0.yaml`],
      ["`verify`, first words", `${ours} verify artifacts.tar`],
    ];
    const words = [];
    for (const [what = "", command = ""] of commands) {
      const times = [];
      for (let run = 0; run < 9; run += 1) times.push(await firstWord(command, directory));
      words.push({ what, milliseconds: median(times) });
    }
    return words;
  } finally {
    await there.close();
  }
}

/** @param {readonly import("./cases.mjs").Case[]} all */
async function measured(all) {
  const lines = [];
  for (const one of all.filter(({ id }) => id.includes(flags.only))) {
    const pair = await compare(one.a, one.b, Number(flags.runs), directory);
    const seconds = `${pair.a.wall.toFixed(2)} s, ${pair.b.wall.toFixed(2)} s`;
    const cpu = `CPU ${pair.a.cpu.toFixed(2)} s, ${pair.b.cpu.toFixed(2)} s`;
    say(
      `${one.id}: ${pair.wall.toFixed(3)} of ${one.b.name} (${seconds}; ${cpu}), ${pair.a.rss.toFixed(0)} MiB, load ${pair.load}`,
    );
    lines.push({ ...one, pair });
  }
  return lines;
}

/** @param {[string, string]} peer */
function nameOf([name, path]) {
  const version = /v?\d+\.\d+\.\d+\S*/.exec(execFileSync(path, ["version"], { encoding: "utf8" }))?.[0];
  return `${name} ${version ?? ""}`.trim();
}

if (flags.reasons) await writePage(await readFile(resolve(root, flags.out), "utf8"));
else await run();
