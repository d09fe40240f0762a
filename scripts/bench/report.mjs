// @ts-check
// What was measured, as a page. A target that was not reached stands there as such, with what is known of the reason.
import { execFileSync } from "node:child_process";
import { cpus, totalmem } from "node:os";

/**
 * @typedef {import("./measure.mjs").Pair} Pair
 * @typedef {import("./cases.mjs").Case & { readonly pair: Pair }} Line
 * @typedef {{ readonly bytes: number, readonly lines: readonly Line[] }} Size what moved, and what that cost
 * @typedef {{ readonly what: string, readonly target: number, readonly pair: Pair }} Start
 * @typedef {{ readonly what: string, readonly milliseconds: number }} FirstWord
 * @typedef {{ readonly command: string, readonly program: string, readonly started: Date, readonly sizes: readonly Size[], readonly artifacts: number, readonly distant: readonly Line[], readonly starts: readonly Start[], readonly firstWords: readonly FirstWord[], readonly openings: readonly import("./opening.mjs").Opening[], readonly peers: readonly string[] }} Results
 */

/** @param {Results} results */
export function page(results) {
  const { sizes, distant } = results;
  const costs = [...sizes.map(({ bytes, lines }) => cost(mebibytes(bytes), lines)), cost("Behind 50 ms", distant)];
  return [intro(results), targets(results), "## Costs\n", costHead, ...costs, opening(results), reading].join("\n");
}

/** @param {Results} results */
function intro({ command, program, started, sizes, artifacts, peers, distant }) {
  const loads = [...sizes.flatMap(({ lines }) => lines), ...distant].map(({ pair }) => pair.load);
  const load = `${Math.min(...loads).toFixed(1)} to ${Math.max(...loads).toFixed(1)}`;
  const [processor] = cpus();
  return `# Benchmarks

Written by \`${command}\`; run it to write this page for your machine. Everything is on loopback, and all
registries (Debian's docker-registry) share the processors with the client. Times are worth something only beside
each other: each comparison is run in pairs, A B B A A B, and the ratio is the median of the pairs' ratios.

| | |
| --- | --- |
| date | ${started.toISOString().slice(0, 16).replace("T", " ")} UTC |
| machine | ${cpus().length} × ${processor?.model ?? "?"}, ${(totalmem() / 1024 ** 3).toFixed(0)} GiB |
| load of the machine meanwhile | ${load} (1-minute average, the benchmark's own included); the commands run at raised priority where the user may (\`nice -n -10\`) |
| program | ${program} |
| peers | ${peers.join(", ")} |
| images | ${sizes.map(({ bytes }) => mebibytes(bytes)).join(", ")} in unique blobs: 6 images on 2 platforms over a shared base each, and 6 artifacts |
| artifacts | 40, ${mebibytes(artifacts)} |
`;
}

/**
 * A row for each target, a column for each size; the largest, which is a real bundle of two platforms, decides.
 * @param {Results} results
 */
function targets({ sizes, distant, starts, firstWords, openings }) {
  const ids = [...new Set(sizes.flatMap(({ lines }) => lines.map(({ id }) => id)))];
  const rows = ids.flatMap((id) => {
    const lines = sizes.map(({ lines }) => lines.find((line) => line.id === id));
    const [first] = lines.filter((line) => line !== undefined);
    if (first === undefined) return [];
    const { a, b, wall, rss } = first;
    return [
      ...(wall === undefined
        ? []
        : [
            row(
              `${id}: ${a.name} / ${b.name}`,
              wall,
              lines.map((line) => line?.pair.wall),
            ),
          ]),
      ...(rss === undefined
        ? []
        : [
            row(
              `${id}: peak RSS, MiB`,
              rss,
              lines.map((line) => line?.pair.a.rss),
              0,
            ),
            row(
              `${id}: peak memory without files, MiB`,
              rss,
              lines.map((line) => line?.pair.a.own),
              0,
            ),
          ]),
    ];
  });
  for (const verb of ["build", "push"])
    rows.push(
      row(
        `${verb}: CPU / that of the thriftiest peer`,
        1.1,
        sizes.map(({ lines }) => cpuRatio(verb, lines)),
      ),
    );
  const blank = sizes.slice(1).map(() => undefined);
  const alone = (/** @type {string} */ what, /** @type {number} */ target, /** @type {number} */ value, digits = 2) =>
    rows.push(row(what, target, [...blank, value], digits));
  for (const { id, a, b, wall, pair } of distant) alone(`${id}: ${a.name} / ${b.name}`, wall ?? 1, pair.wall, 3);
  for (const { what, target, pair } of starts) alone(what, target, pair.wall);
  for (const { what, milliseconds } of firstWords) alone(`${what}, ms`, 300, milliseconds, 0);
  const most = openings.at(-1);
  const few = openings[0];
  if (most !== undefined && few !== undefined)
    alone(
      "opening, µs an entry",
      10,
      ((most.milliseconds - few.milliseconds) * 1000) / (most.entries - few.entries),
      1,
    );
  for (const { entries, bytes, over } of openings.filter((each) => each.entries <= 1000 && each.bytes > 1024 ** 3))
    alone(`\`inspect\` of ${mebibytes(bytes)} in ${entries} blobs, ms over \`--version\``, 50, over, 0);
  const heads = sizes.map(({ bytes }) => `${mebibytes(bytes)} |`).join(" ");
  return `## Targets

Ratios, unless a unit is named. A figure over its target is bold; the last column decides.

| what | at most | ${heads}
| --- | --- | ${sizes.map(() => "--- |").join(" ")}
${rows.join("\n")}
`;
}

/** @param {string} verb @param {readonly Line[]} lines */
function cpuRatio(verb, lines) {
  const peers = lines.filter(({ id, peer }) => peer === true && id.startsWith(verb));
  if (peers.length === 0) return undefined;
  return Math.min(...peers.map(({ pair }) => pair.a.cpu)) / Math.min(...peers.map(({ pair }) => pair.b.cpu));
}

/** @param {string} what @param {number} target @param {readonly (number | undefined)[]} values */
function row(what, target, values, digits = 2) {
  const cells = values.map((value) => {
    if (value === undefined) return "";
    return value > target ? `**${value.toFixed(digits)}**` : value.toFixed(digits);
  });
  return `| ${what} | ${target} | ${cells.join(" | ")} |`;
}

const costHead = `Medians; the largest RSS of any process, and "own" of it, which no file is behind: the program is a file that the
kernel maps, shares and can drop. "read" and "handed on" count what went through system calls, files and
sockets alike; "to disk" only what the disk got.
`;

/** @param {string} title @param {readonly Line[]} lines */
function cost(title, lines) {
  const rows = lines.flatMap(({ id, a, b, pair }) => [
    costOf(id, a.name, pair.a, `${spread(pair)} | ${pair.cpu.toFixed(2)}`),
    costOf("", b.name, pair.b, " | "),
  ]);
  const heads = [
    "wall s",
    "CPU s",
    "RSS MiB",
    "own MiB",
    "read MiB",
    "handed on MiB",
    "to disk MiB",
    "wall ratio",
    "CPU ratio",
  ];
  const line = ["case", "program", ...heads].join(" | ");
  return `### ${title}\n\n| ${line} |\n|${" --- |".repeat(heads.length + 2)}\n${rows.join("\n")}\n`;
}

/** @param {string} id @param {string} program @param {import("./measure.mjs").Cost} value @param {string} ratios */
function costOf(id, program, { wall, cpu, rss, own, read, handed, written }, ratios) {
  const numbers = [
    wall.toFixed(2),
    cpu.toFixed(2),
    ...[rss, own, read, handed, written].map((each) => each.toFixed(0)),
  ];
  return `| ${id} | ${program} | ${numbers.join(" | ")} | ${ratios} |`;
}

/** @param {Results} results */
function opening({ openings }) {
  const rows = openings.map(
    ({ entries, bytes, milliseconds, over }) =>
      `| ${entries} | ${mebibytes(bytes)} | ${milliseconds.toFixed(1)} | ${over.toFixed(0)} |`,
  );
  return `## Opening

Sparse files; headers, \`bundle.json\` and \`SHA256SUMS\` are read and held against each other, blobs are not read.

| blobs | bytes | opening, ms | \`inspect\` over \`--version\`, ms |
| --- | --- | --- | --- |
${rows.join("\n")}
`;
}

const reading = `## How to read this

- The floor of build is curl, which fetches the same blobs and manifests eight at a time, and \`openssl dgst\`, which hashes what arrived once. The floor of push is curl with the same requests: uploads, mounts, manifests; it hashes nothing and reads each byte once. Neither checks anything, goes on after a break, or makes one file.
- Before each command the disk gets what still waits for it, and what verify and push read is read once: both sides find it in memory, also the first.
- Ours syncs to the disk as it goes, so that an interrupted build goes on after a power cut; neither the floor nor the peers do. What ends in the page cache costs them nothing here.
- The program starts a Node first, ${"`--version`"} says how long that takes; on small content that is a good part of the time.
- The registry hashes what it is sent, on the same two processors: a push by two clients that both wait for it takes the same time.
- The two comparisons behind 50 ms run beside each other; they wait nearly all of their time. The delay is pure: bytes are not limited, a new connection costs one round trip more.
- Hauler and Zarf do the same job and are missing: the Go module proxy does not give out their modules.
- Debian's skopeo 1.9.3 is built with a Go whose sha256 does not use the processor's instructions; newer Go programs do (crane, oras and regctl).
`;

/** @param {Pair} pair */
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
