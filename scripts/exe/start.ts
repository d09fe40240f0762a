// The main script of an executable. Node can carry V8's compiled form of it by itself, but only of functions that are
// compiled when a script is read; most are compiled when they are first called, which is what a start waits for. So the
// modules of the program are assets, each beside what V8 had compiled of it after commands were run
// (scripts/exe/compiled.cjs), and a command reads those that it needs.
import { getRawAsset } from "node:sea";
import { answersVersion } from "../../src/cli/version.ts";
import { loader } from "./load.cjs";

interface Program {
  runProcess(): Promise<number>;
}

/** Read-only. */
function asset(name: string): Buffer {
  return Buffer.from(getRawAsset(name) as ArrayBuffer);
}

function loadProgram(): Program {
  const load = loader({
    // ASCII alone (scripts/exe/bundle.mjs).
    source: (name) => asset(`program/${name}`).toString("latin1"),
    compiled: (name) => asset(`compiled/${name}`),
    require,
    filename: __filename,
    dirname: __dirname,
  });
  return load("program.cjs") as Program;
}

// Loading the program is most of what a start costs, and this answer needs none of it.
if (!answersVersion(process.argv.slice(2), process))
  void loadProgram()
    .runProcess()
    .then((code) => {
      process.exitCode = code;
    });
