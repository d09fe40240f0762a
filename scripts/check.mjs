// @ts-check
// The whole gate, as people and CI run it. Everything runs, and everything that is wrong is shown, not the first thing.
import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";

/** The longest first. @type {[string, string[]][]} */
const checks = [
  ["lint", ["scripts/lint.mjs"]],
  ["unit", ["vitest", "run", "--project", "unit", "--reporter", "dot"]],
  // By its path: two versions of TypeScript have a `tsc`, and the linter wants the older one.
  ["types", ["node_modules/typescript-native/bin/tsc"]],
  [
    "format",
    [
      "prettier",
      "--check",
      ".",
      "--log-level",
      "warn",
      "--cache",
      "--cache-strategy",
      "content",
      "--cache-location",
      ".cache/prettier",
    ],
  ],
  ["unused", ["knip"]],
  ["unused-in-production", ["knip", "--production"]],
];

/** @param {string[]} args @returns {Promise<{ code: number, output: string }>} */
function run(args) {
  return new Promise((done) => {
    const [program = "", ...rest] = args;
    const child = program.includes("/")
      ? spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] })
      : spawn("npx", ["--no-install", program, ...rest], { stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    child.stdout.on("data", (chunk) => (output += chunk));
    child.stderr.on("data", (chunk) => (output += chunk));
    child.on("close", (code) => done({ code: code ?? 1, output }));
  });
}

const failed = [];
const queue = [...checks];
async function worker() {
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const [name, args] = next;
    const started = Date.now();
    const { code, output } = await run(args);
    const seconds = ((Date.now() - started) / 1000).toFixed(1);
    process.stdout.write(`${code === 0 ? "ok    " : "FAILED"} ${name.padEnd(20)} ${seconds} s\n`);
    if (code !== 0) {
      failed.push(name);
      process.stdout.write(`${output}\n`);
    }
  }
}
await Promise.all(Array.from({ length: Math.max(2, Math.min(4, availableParallelism())) }, worker));
if (failed.length > 0) process.stdout.write(`failed: ${failed.join(", ")}\n`);
process.exitCode = failed.length > 0 ? 1 : 0;
