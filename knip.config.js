// Exported is what another file uses. What a test asks of the inside of a file is no use in production, and no fault:
// there only what nothing but tests calls is one.
const inProduction = process.argv.includes("--production");

/** @type {import("knip").KnipConfig} */
export default {
  entry: [
    "src/main.ts!",
    "scripts/**/*.mjs",
    "scripts/demo/main.ts",
    "scripts/bundle/string-width.ts",
    "scripts/exe/*.{cjs,ts}",
    "test/**/*.test.ts",
    "test/**/*.contract.ts",
    "test/rig/bundle-child.ts",
    "test/rig/gateway/record.ts",
  ],
  project: ["src/**/*.ts!", "test/**/*.ts", "scripts/**/*.{ts,mjs}"],
  ignoreDependencies: [
    "@aws-cdk/lambda-layer-kubectl-v31",
    "@aws-cdk/lambda-layer-kubectl-v35",
    "@aws-cdk/lambda-layer-kubectl-v36",
  ],
  ignoreBinaries: ["perl", "ip", "openssl", "unshare", "script", "shellcheck"],
  ignoreExportsUsedInFile: inProduction ? true : { interface: true, type: true },
  includeEntryExports: false,
};
