// @ts-check
// What takes too long for every run: the suites of the real gateway with Istio's own pilot-discovery, which is built here
// when it is not there yet (minutes). `npm run test:nightly`; the packed program has to be built before.
import { spawnSync } from "node:child_process";

/** @param {string} program @param {readonly string[]} words @param {import("node:child_process").StdioOptions} stdio */
function run(program, words, stdio, env = {}) {
  const { status, error } = spawnSync(program, words, { env: { ...process.env, ...env }, stdio });
  if (error !== undefined) throw error;
  // What failed has said so itself.
  if (status !== 0) process.exit(status ?? 1);
}

run("/bin/sh", ["test/rig/gateway/build-pilot.sh"], ["ignore", "ignore", "inherit"]);
run("npx", ["--no-install", "vitest", "run", "--project", "nightly", ...process.argv.slice(2)], "inherit", {
  NIGHTLY: "1",
});
