// @ts-check
// Runs commands in the program and writes what V8 has compiled of it by then, so that an executable need not do it again:
// reading and compiling JavaScript is more than half of a start.
//   node FLAGS scripts/exe/compiled.cjs PROGRAM OUT COMMAND...     two folders; each command one word with spaces
// FLAGS, for the same bytes each time: --random-seed=1, else hashes of V8's own seed are in them; --min-semi-space-size=64
// --max-semi-space-size=64, because V8 leaves gaps in what it writes, and they hold what the memory held: where nothing is
// collected, no memory is used twice, and fresh memory is zeros. --no-memory-reducer, because a heap that stood still for
// some seconds is collected all the same, on a busy machine or under qemu; V8 takes that flag only at its start.
const { mkdirSync, readdirSync, readFileSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");
const { setFlagsFromString } = require("node:v8");
const { loader } = require("./load.cjs");

const [node = "", , folder = "", out = "", ...commands] = process.argv;
void (async () => {
  const set = (/** @type {string[]} */ ...flags) => {
    for (const flag of flags) setFlagsFromString(flag);
  };
  // What depends on time: threads that compile beside the program, and forgetting what was not called for a while. The
  // same program would give other bytes each time.
  set("--no-sparkplug", "--no-maglev", "--no-opt", "--no-flush-bytecode");
  // And what the program does after a second: on a busy machine it would be compiled too.
  const { setInterval } = globalThis;
  Object.assign(globalThis, { setInterval: (/** @type {() => void} */ work) => setInterval(work, 2 ** 31 - 1) });
  /** @type {Map<string, import("node:vm").Script>} */
  const scripts = new Map();
  const filename = join(folder, "program.cjs");
  const load = loader({
    source: (name) => readFileSync(join(folder, name), "latin1"),
    require,
    filename,
    dirname: process.cwd(),
    seen: (name, script) => void scripts.set(name, script),
  });
  const { runProcess } = load("program.cjs");
  for (const command of commands) {
    process.argv = [node, filename, ...command.split(" ")];
    await runProcess();
  }
  // What these commands did without is compiled as far as loading it does.
  for (const name of readdirSync(folder).sort()) load(name);
  // V8 takes it only where the flags are the same, and an executable sets none: V8 would refuse what Node has compiled of its
  // own modules, too.
  set("--sparkplug", "--maglev", "--opt", "--flush-bytecode");
  set("--memory-reducer", "--min-semi-space-size=0", "--max-semi-space-size=0");
  mkdirSync(out, { recursive: true });
  for (const [name, script] of scripts) writeFileSync(join(out, name), script.createCachedData());
  process.exit(0);
})();
