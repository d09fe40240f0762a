// @ts-check
// What takes too long for every run: the suites of the real gateway with Istio's own pilot-discovery, which is built here
// when it is not there yet (minutes). `npm run test:nightly`; the packed program has to be built before.
import { execFileSync } from "node:child_process";

execFileSync("/bin/sh", ["test/rig/gateway/build-pilot.sh"], { stdio: ["ignore", "ignore", "inherit"] });
execFileSync("npx", ["--no-install", "vitest", "run", "--project", "nightly", ...process.argv.slice(2)], {
  env: { ...process.env, NIGHTLY: "1" },
  stdio: "inherit",
});
