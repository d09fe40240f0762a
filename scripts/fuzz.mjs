// @ts-check
// Many more cases of test/contract/bundle/fuzz*.test.ts, from a seed of this moment: `npm run fuzz [CASES]`.
import { execFileSync } from "node:child_process";

const FUZZ_CASES = process.argv[2] ?? "30000";
const FUZZ_SEED = process.env["FUZZ_SEED"] ?? String(Date.now() % 2 ** 31);
console.log(`FUZZ_SEED=${FUZZ_SEED} FUZZ_CASES=${FUZZ_CASES}`);
execFileSync("npx", ["vitest", "run", "--project", "contract", "test/contract/bundle/fuzz"], {
  env: { ...process.env, FUZZ_CASES, FUZZ_SEED },
  stdio: "inherit",
});
