// @ts-check
// The main script of an executable. Node can carry V8's compiled form of it by itself, but only of functions that are
// compiled when a script is read; most are compiled when they are first called, which is what a start waits for. So the
// program is an asset, beside what V8 had compiled of it after commands were run (scripts/exe/compiled.cjs).
const { getRawAsset } = require("node:sea");
const { Script } = require("node:vm");

// ASCII alone (scripts/exe/bundle.mjs).
const source = Buffer.from(getRawAsset("program.cjs")).latin1Slice();
// Read-only: V8 copies what it takes.
const cachedData = Buffer.from(getRawAsset("program.cache"));
const program = new Script(source, { filename: "program.cjs", cachedData });
// As Node itself says it of a main script; where none could be made (scripts/build-exe.mjs) it is empty.
if (program.cachedDataRejected === true && cachedData.length > 0) process.emitWarning("Code cache data rejected.");
const loaded = { exports: {} };
program.runInThisContext()(loaded.exports, require, loaded, __filename, __dirname);
void loaded.exports.runProcess().then((/** @type {number} */ code) => {
  process.exitCode = code;
});
