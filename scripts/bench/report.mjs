// @ts-check
// What was measured, as a page. A target that was not reached stands there as such.
import { execFileSync } from "node:child_process";
import { cpus, totalmem } from "node:os";

/**
 * @typedef {{ readonly id: string, readonly a: string, readonly b: string, readonly pair: import("./measure.mjs").Pair, readonly wall?: number | undefined, readonly rss?: number | undefined }} Line
 * @typedef {{ readonly small: boolean, readonly started: Date, readonly unique: number, readonly artifacts: number, readonly lines: readonly Line[], readonly openings: readonly import("./opening.mjs").Opening[], readonly version: import("./measure.mjs").Pair, readonly peers: readonly string[] }} Results
 */

/** @param {Results} results */
export function page(results) {
  return [intro(results), targets(results), costs(results), opening(results), reading].join("\n");
}

/** @param {Results} results */
function intro({ small, started, unique, artifacts, peers, lines }) {
  const loads = lines.map(({ pair }) => pair.load);
  const load = `${Math.min(...loads).toFixed(1)} to ${Math.max(...loads).toFixed(1)}`;
  const [processor] = cpus();
  return `# Benchmarks

Written by \`npm run bench${small ? " -- --small" : ""}\`; run it to write this page for your machine. Everything is on loopback, and both
registries (Debian's docker-registry) share the processors with the client. Times are worth something only beside
each other: each comparison is run in pairs, A B B A A B, and the ratio is the median of the pairs' ratios.

| | |
| --- | --- |
| date | ${started.toISOString().slice(0, 16).replace("T", " ")} UTC |
| machine | ${cpus().length} × ${processor?.model ?? "?"}, ${(totalmem() / 1024 ** 3).toFixed(0)} GiB |
| load of the machine meanwhile | ${load} (1-minute average, the benchmark's own included); the commands run at raised priority where the user may (\`nice -n -10\`) |
| Node | ${process.version} |
| peers | ${peers.join(", ")} |
| images | ${mebibytes(unique)} in unique blobs: 6 images on 2 platforms over a shared base each, and 6 artifacts |
| artifacts | 40, ${mebibytes(artifacts)} |
`;
}

/** @param {Results} results */
function targets({ lines, openings, version }) {
  const rows = [];
  for (const { id, a, b, pair, wall, rss } of lines) {
    if (wall !== undefined) rows.push(row(`${id}: ${a} / ${b}`, `≤ ${wall}`, spread(pair), pair.wall <= wall));
    if (rss !== undefined)
      rows.push(row(`${id}: peak RSS`, `≤ ${rss} MiB`, `${pair.a.rss.toFixed(0)} MiB`, pair.a.rss <= rss));
  }
  rows.push(row("`--version` / `node -e 0`", "≤ 1.3", spread(version), version.wall <= 1.3));
  const most = openings.at(-1);
  const few = openings[0];
  if (most !== undefined && few !== undefined) {
    const each = ((most.milliseconds - few.milliseconds) * 1000) / (most.entries - few.entries);
    rows.push(row("opening: per entry", "≤ 5 µs", `${each.toFixed(1)} µs`, each <= 5));
  }
  for (const { entries, bytes, command } of openings.filter((each) => each.entries <= 1000 && each.bytes > 1024 ** 3)) {
    const over = command - version.a.wall * 1000;
    const what = `\`inspect\` of ${mebibytes(bytes)} in ${entries} blobs, over \`--version\``;
    rows.push(row(what, "< 50 ms", `${over.toFixed(0)} ms`, over < 50));
  }
  return `## Targets\n\n| what | target | reached | |\n| --- | --- | --- | --- |\n${rows.join("\n")}\n`;
}

/** @param {Results} results */
function costs({ lines }) {
  const rows = lines.flatMap(({ id, a, b, pair }) => [
    cost(id, a, pair.a, `${pair.wall.toFixed(2)} | ${pair.cpu.toFixed(2)}`),
    cost("", b, pair.b, " | "),
  ]);
  const heads = "| case | program | wall s | CPU s | peak RSS MiB | read MiB | written MiB | wall ratio | CPU ratio |";
  return `## Costs\n\nMedians; the largest RSS. "read" counts files and sockets, "written" only what goes to the disk.\n\n${heads}\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n${rows.join("\n")}\n`;
}

/** @param {string} id @param {string} program @param {import("./measure.mjs").Cost} value @param {string} ratios */
function cost(id, program, { wall, cpu, rss, read, written }, ratios) {
  const numbers = [wall.toFixed(2), cpu.toFixed(2), rss.toFixed(0), read.toFixed(0), written.toFixed(0)];
  return `| ${id} | ${program} | ${numbers.join(" | ")} | ${ratios} |`;
}

/** @param {Results} results */
function opening({ openings }) {
  const rows = openings.map(
    ({ entries, bytes, milliseconds, command }) =>
      `| ${entries} | ${mebibytes(bytes)} | ${milliseconds.toFixed(1)} | ${command.toFixed(0)} |`,
  );
  return `## Opening\n\nSparse files; headers, \`bundle.json\` and \`SHA256SUMS\` are read and held against each other, blobs are not read.\n\n| blobs | bytes | opening, ms | \`inspect\` as a whole, ms |\n| --- | --- | --- | --- |\n${rows.join("\n")}\n`;
}

const reading = `## How to read this

- \`cp\` and \`openssl dgst\` are the floor: the bytes copied once and hashed once. \`sha256sum\` is several times slower on Debian and would flatter us.
- Ours syncs to the disk as it goes, so that an interrupted build goes on after a power cut; neither \`cp\` nor the peers do. What ends in the page cache costs them nothing here.
- The two comparisons behind 50 ms run beside each other; they wait nearly all of their time. The delay is pure: bytes are not limited, a new connection costs one round trip more.
- Debian's skopeo 1.9.3 is built with a Go whose sha256 does not use the processor's instructions; newer Go programs do (the crane and regctl lines).
`;

/** @param {string} what @param {string} target @param {string} reached @param {boolean} met */
function row(what, target, reached, met) {
  return `| ${what} | ${target} | ${reached} | ${met ? "met" : "**not met**"} |`;
}

/** @param {import("./measure.mjs").Pair} pair */
function spread({ wall, low, high, runs }) {
  const digits = wall < 0.2 ? 3 : 2;
  return `${wall.toFixed(digits)} (${low.toFixed(digits)} to ${high.toFixed(digits)}, ${runs} pairs)`;
}

/** @param {number} bytes */
function mebibytes(bytes) {
  return `${(bytes / 1024 ** 2).toFixed(0)} MiB`;
}

/** @param {string} command @param {readonly string[]} args */
export function firstLine(command, args) {
  return execFileSync(command, args, { encoding: "utf8" }).trim().split("\n")[0] ?? "";
}
