// @ts-check
// Runs commands and says what they cost. Two are compared in pairs, A B A B, because what else the machine does changes
// from minute to minute: the ratio of a pair holds where the times do not.
import { randomUUID } from "node:crypto";
import { execFile, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

/**
 * @typedef {{ readonly wall: number, readonly cpu: number, readonly rss: number, readonly own: number, readonly read: number, readonly handed: number, readonly written: number }} Cost
 *   seconds, seconds, MiB, MiB of that which no file is behind, MiB through read and write calls (sockets too), MiB handed to
 *   the disk
 * @typedef {{ readonly name: string, readonly script: string, readonly reads?: readonly string[], before?(): Promise<unknown>, after?(): Promise<unknown> }} Side
 *   `script` is for sh; `before` and `after` are not measured; `reads`: files and folders that are in the page cache when it starts
 * @typedef {{ readonly a: Cost, readonly b: Cost, readonly wall: number, readonly cpu: number, readonly low: number, readonly high: number, readonly runs: number, readonly load: number }} Pair
 */

/** @param {Side} a @param {Side} b @param {number} runs @param {string} directory @returns {Promise<Pair>} */
export async function compare(a, b, runs, directory) {
  const pairs = [];
  for (let run = 0; run < runs; run += 1) {
    // Who comes first changes: the first may pay for what the second finds in a cache.
    const [first, second] = run % 2 === 0 ? [a, b] : [b, a];
    const one = await measure(first, directory);
    const two = await measure(second, directory);
    pairs.push(run % 2 === 0 ? { a: one, b: two } : { a: two, b: one });
  }
  const ratios = pairs.map((pair) => pair.a.wall / pair.b.wall);
  return {
    a: middle(pairs.map((pair) => pair.a)),
    b: middle(pairs.map((pair) => pair.b)),
    wall: median(ratios),
    cpu: median(pairs.map((pair) => pair.a.cpu / pair.b.cpu)),
    low: Math.min(...ratios),
    high: Math.max(...ratios),
    runs,
    load: await load(),
  };
}

/** @param {Side} side @param {string} directory @returns {Promise<Cost>} */
export async function measure({ name, script, reads = [], before, after }, directory) {
  await before?.();
  await settle(reads, directory);
  const file = join(directory, `cost-${randomUUID()}`);
  // The shell's own account takes in what its children did, once they have ended.
  const inner = `${script}\ncode=$?; cat /proc/$$/io > '${file}.io'; exit $code`;
  // Other work on the machine is to matter less; who is not root runs as everybody does.
  const args = ["-n", "-10", "/usr/bin/time", "-q", "-o", file, "-f", "%e %U %S %M", "sh", "-c", inner];
  const started = performance.now();
  const { code, output, own } = await run("nice", args, directory);
  const wall = (performance.now() - started) / 1000;
  if (code !== 0) throw new Error(`${name}: exit ${code}\n${output.slice(-4000)}`);
  const [, user = 0, system = 0, rss = 0] = (await readFile(file, "utf8")).trim().split(" ").map(Number);
  const io = await readFile(`${file}.io`, "utf8");
  const count = (/** @type {string} */ key) => Number(new RegExp(`^${key}: (\\d+)`, "m").exec(io)?.[1]) / 1024 ** 2;
  await after?.();
  const bytes = { read: count("rchar"), handed: count("wchar"), written: count("write_bytes") };
  return { wall, cpu: user + system, rss: rss / 1024, own, ...bytes };
}

/**
 * What the one before left to be written, the kernel writes while the next one runs, on its account; and of several GiB one side
 * would fetch from the disk what the other then finds in memory.
 * @param {readonly string[]} reads @param {string} directory
 */
async function settle(reads, directory) {
  await promisify(execFile)("sync");
  if (reads.length > 0)
    await promisify(execFile)("sh", ["-c", `find ${reads.join(" ")} -type f -exec cat {} + > /dev/null`], {
      cwd: directory,
    });
}

/** Milliseconds until the first byte on either stream. @param {string} command @param {string} cwd @returns {Promise<number>} */
export function firstWord(command, cwd) {
  return new Promise((done, fail) => {
    const started = performance.now();
    const child = spawn("sh", ["-c", `exec ${command}`], { cwd, stdio: ["ignore", "pipe", "pipe"] });
    const spoke = () => done(performance.now() - started);
    child.stdout.once("data", spoke);
    child.stderr.once("data", spoke);
    child.once("error", fail);
    child.once("close", () => fail(new Error(`${command}: ended without a word`)));
  });
}

/**
 * @param {string} command @param {readonly string[]} args @param {string} cwd
 * @returns {Promise<{ readonly code: number | null, readonly output: string, readonly own: number }>}
 */
function run(command, args, cwd) {
  return new Promise((done, fail) => {
    // Our bundles carry the program itself, which no peer does: left out, so that all move the same bytes.
    const env = { ...process.env, HIGRESS_AIRGAP_EXE_DIR: "" };
    const child = spawn(command, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    const own = watchOwn(child.pid ?? 0);
    let output = "";
    child.stdout.on("data", (chunk) => (output = (output + chunk).slice(-8000)));
    child.stderr.on("data", (chunk) => (output = (output + chunk).slice(-8000)));
    child.once("error", fail);
    child.once("close", (code) => done({ code, output, own: own() }));
  });
}

/**
 * The most memory that any process below `pid` had and no file is behind, in MiB. RSS counts the mapped program, too, of
 * which all that run it share one copy; but the kernel keeps a peak of RSS alone, so this is looked at, every 20 ms.
 * @param {number} pid
 */
function watchOwn(pid) {
  let most = 0;
  const look = () => {
    for (const each of below(pid))
      most = Math.max(most, Number(/^RssAnon:\s*(\d+)/m.exec(ofProcess(each, "status"))?.[1] ?? 0));
  };
  const timer = setInterval(look, 20);
  return () => {
    clearInterval(timer);
    return most / 1024;
  };
}

/** @param {number} pid @returns {readonly number[]} */
function below(pid) {
  const children = ofProcess(pid, `task/${pid}/children`).split(" ").filter(Boolean).map(Number);
  return [pid, ...children.flatMap(below)];
}

/** Nothing once it has ended. @param {number} pid @param {string} file */
function ofProcess(pid, file) {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}

/** @param {readonly number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = sorted.length / 2;
  return ((sorted[Math.floor(at)] ?? 0) + (sorted[Math.ceil(at) - 1] ?? 0)) / 2;
}

/** @param {readonly Cost[]} costs @returns {Cost} */
function middle(costs) {
  return {
    wall: median(costs.map(({ wall }) => wall)),
    cpu: median(costs.map(({ cpu }) => cpu)),
    rss: Math.max(...costs.map(({ rss }) => rss)),
    own: Math.max(...costs.map(({ own }) => own)),
    read: median(costs.map(({ read }) => read)),
    handed: median(costs.map(({ handed }) => handed)),
    written: median(costs.map(({ written }) => written)),
  };
}

/** Of the last minute. */
export async function load() {
  return Number((await readFile("/proc/loadavg", "utf8")).split(" ")[0]);
}
