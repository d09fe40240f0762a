// @ts-check
// Why a target is not reached, where it is not: what profiles said. The page names the reason beside the figure.

/** By the words of a row of the targets. The first that fits is told. @type {readonly (readonly [RegExp, string])[]} */
const reasons = [
  [
    /peak RSS/,
    "The program is a file of 131 MB that the kernel maps: 55 MiB of it are in memory, are shared by all that run it, and are dropped where memory is short. The row below this one counts what is the command's own.",
  ],
  [
    /^verify/,
    "What is over is the start, so the ratio falls with size. `verify --quick`, which hashes no blob, takes 0.13 s of processor, and a hashing thread 0.03 to 0.06 s until it runs. That thread needs less than openssl: for 413 MiB 0.300 s of processor in blocks of 256 KiB (64 KiB: 0.327, 1 MiB: 0.317, 4 MiB: 0.330), openssl 0.329. With two threads the largest blob is the least that one of them has to do.",
  ],
  [
    /^push, floor: push/,
    "curl asks nothing and hashes nothing. To the 170 requests that both send, ours adds 103 without a body: a ping, each tag and blob before it is sent, so that a second push sends nothing, and each tag afterwards. Program and registry share two processors, so the start and sha256 of what is sent, which curl has not, come on top of what the registry takes; blobs go in the order of the bundle, as a stick is read, not the largest first.",
  ],
  [
    /^push: CPU/,
    "The thriftiest peer, oras, gives each file to the kernel (`sendfile`, as strace shows) and hashes nothing. Ours takes every byte through the process and hashes it while it is sent, so that nothing wrong is ever complete in the registry: sha256 is a third of it at 1 GiB, copies in the kernel a quarter, the rest the start and JavaScript. Node has no `sendfile` to a socket. Tried, processor time for 678 MiB into a server that takes everything, on a busy machine: 1.3 s as it is, 1.3 with the file read on the thread that sends, 1.5 in pieces of 1 MiB.",
  ],
  [
    /^pull, 50 ms/,
    "Round trips one behind the other: a connection, 40 manifests and then 40 configs (5, 16 at once), the second connection of each (1), 80 layers (10, 8 at once): 0.85 s. The rest is the start, and processor time of the program, the registry and the wire, which share two processors with the other comparison. More layers at once would be more than the 8 that both sides are given here.",
  ],
  [
    /^push, 50 ms/,
    "A quarter is processor time (1.3 s here). An earlier run took 4.0 s, 0.047 of skopeo, where 0.9 s of processor were enough for it. What is left is round trips: the blobs of an artifact are asked for before they are sent, so that a second push sends nothing, and each upload is opened before its bytes go.",
  ],
  [
    /^`preflight`/,
    "Processor time, and so a matter of the machine: an earlier run took 247 ms where all starts were 1.5 times as fast. Opening the bundle and loading the command take 0.14 s here, as in `verify`; the site file and its schema, the plan of what would be installed and the HTTP client, whose answers the first line announces, the rest.",
  ],
  [
    /^opening/,
    "A profile of 50,000 entries: a read for each header 23 % (one system call each, for no byte of a blob is read), garbage collection 20 %, the schema of bundle.json 16 % and its JSON 11 %, holding headers, bundle.json and SHA256SUMS against each other 14 %, decoding each header and encoding it again 11 %, reading SHA256SUMS 7 %. Since then names are compared where they stand and kept in one set less: 15 % less processor time. None of these checks can be left out for a bundle that nobody vouches for.",
  ],
  [
    /^`inspect`/,
    "Four times the processor time of `--version`; five before Node's own modules were taken as Node carries them, compiled (docs/facts/node.md#flags-and-compiled-code). A profile of before: Node's own modules (crypto, streams, files) 23 %, V8's compiled form of ours 7 %, the command line 7 %, garbage collection 6 %, building schemas 5 %. Tried: all functions compiled for the executable instead of those that its commands call, fewer threads of V8, a larger young generation, all without gain; a V8 snapshot of the started program (inspect 155 → 117 ms of processor, but `--version` 27 → 62, and one to be made on each architecture).",
  ],
];

const heading = "### Not reached";

/** The page with a line for each target that the last column misses. @param {string} page */
export function withReasons(page) {
  const [, before = "", table = "", after = ""] = /^(.*?\n## Targets\n)(.*?)(\n## .*)$/s.exec(page) ?? [];
  if (table === "") throw new Error("no targets in this page");
  const rows = (table.split(heading)[0] ?? "").trimEnd();
  const missed = rows.split("\n").flatMap((row) => {
    const cells = row.split("|").map((cell) => cell.trim());
    const decides = cells.slice(3).findLast((cell) => cell !== "");
    const what = cells[1] ?? "";
    return decides?.startsWith("**") === true ? [{ what, value: decides.replaceAll("*", "") }] : [];
  });
  /** @type {Map<string, string[]>} */
  const told = new Map();
  for (const { what, value } of missed) {
    const why = reasons.find(([words]) => words.test(what))?.[1] ?? "Not explained yet.";
    told.set(why, [...(told.get(why) ?? []), `${what} (${value})`]);
  }
  const lines = [...told].map(([why, rows]) => `- ${rows.join("; ")}: ${why}`);
  const section = lines.length === 0 ? "" : `\n${heading}\n\n${lines.join("\n")}\n`;
  return `${before}${rows}\n${section}${after}`;
}
