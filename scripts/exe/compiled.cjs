// @ts-check
// Runs commands in the program and writes what V8 has compiled of it by then, so that an executable need not do it again:
// reading and compiling 3 MB of JavaScript is more than half of a start.
//   node --random-seed=1 scripts/exe/compiled.cjs PROGRAM OUT COMMAND...     each command one word with spaces
const { readFileSync, writeFileSync } = require("node:fs");
const { setFlagsFromString } = require("node:v8");
const { Script } = require("node:vm");

const [node = "", , path = "", out = "", ...commands] = process.argv;
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
  // The name is in what is written, so it must not be that of a temporary folder.
  const program = new Script(readFileSync(path, "utf8"), { filename: "program.cjs" });
  const loaded = { exports: {} };
  program.runInThisContext()(loaded.exports, require, loaded, path, process.cwd());

  for (const command of commands) {
    process.argv = [node, path, ...command.split(" ")];
    await loaded.exports.runProcess();
  }
  // V8 takes it only where the flags are the same; the last one is the program's own (src/edge/registry/undici-transport.ts).
  set("--sparkplug", "--maglev", "--opt", "--flush-bytecode", "--no-liftoff-only");
  writeFileSync(out, program.createCachedData());
  process.exit(0);
})();
