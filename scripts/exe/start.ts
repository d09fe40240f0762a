// The main script of an executable. Node can carry V8's compiled form of it by itself, but only of functions that are
// compiled when a script is read; most are compiled when they are first called, which is what a start waits for. So the
// program is an asset, beside what V8 had compiled of it after commands were run (scripts/exe/compiled.cjs).
import { getRawAsset } from "node:sea";
import { Script } from "node:vm";
import { asksForVersion, versionLine } from "../../src/cli/version.ts";

interface Program {
  readonly exports: { runProcess(): Promise<number> };
}

type ProgramFunction = (
  exports: object,
  require: NodeJS.Require,
  module: object,
  filename: string,
  directory: string,
) => void;

function loadProgram(): Program["exports"] {
  // ASCII alone (scripts/exe/bundle.mjs).
  const source = Buffer.from(getRawAsset("program.cjs") as ArrayBuffer).toString("latin1");
  // Read-only: V8 copies what it takes.
  const cachedData = Buffer.from(getRawAsset("program.cache") as ArrayBuffer);
  const program = new Script(source, { filename: "program.cjs", cachedData });
  // As Node itself says it of a main script; where none could be made (scripts/build-exe.mjs) it is empty.
  if (program.cachedDataRejected === true && cachedData.length > 0) process.emitWarning("Code cache data rejected.");
  const loaded = { exports: {} };
  (program.runInThisContext() as ProgramFunction)(loaded.exports, require, loaded, __filename, __dirname);
  return (loaded as Program).exports;
}

// Unpacking the program is most of what a start costs, and this answer needs none of it.
if (asksForVersion(process.argv.slice(2))) process.stdout.write(`${versionLine(process)}\n`);
else
  void loadProgram()
    .runProcess()
    .then((code) => {
      process.exitCode = code;
    });
