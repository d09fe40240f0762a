import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { defineConfig } from "vitest/config";
import { packedModules } from "./test/packed/modules.ts";
import { executable } from "./test/rig/cli.ts";

// Empty proxies: a developer's environment must not reach into a test that talks to loopback.
const env = { HTTP_PROXY: "", HTTPS_PROXY: "", http_proxy: "", https_proxy: "", LANG: "C.UTF-8" };

const project = (name: string, include: string[], testTimeout: number, isolate = true) => ({
  test: { name, include, testTimeout, hookTimeout: testTimeout, env, pool: "forks" as const, maxWorkers: 2, isolate },
});

const contract = project("contract", ["test/contract/**/*.test.ts"], 300_000).test;
/** About what tests stand on, or pages in a browser: nothing that packing could change. */
const samePacked = [
  "cluster-rig",
  "daemon",
  "kubelet-pull",
  "tls-rig",
  "harbor/double",
  "html",
  "install-page",
  "bundle/fuzz",
  "bundle/fuzz-volumes",
];
const e2e = project("e2e", ["test/e2e/**/*.test.ts"], 1_200_000).test;
/**
 * Where the executable could differ from dist: what it carries, its threads, the programs that it starts, its streams and
 * signals, its Node's TLS and words. The other suites are about what one and the same code makes of registries and
 * clusters; a second time they would take a quarter of an hour.
 */
const onExecutable = [
  ...["bundle-commands", "completion", "interrupted", "main-job", "plugins-cli", "proxy", "refusals", "refusals-files"],
  ...["refusals-registry", "render", "volume-commands"],
];

/**
 * The suites of the real gateway once more, with the real pilot-discovery in the place of our control plane, and what both
 * send side by side. Building it takes too long for every run, so it has to be asked for.
 */
const nightly = {
  test: {
    ...e2e,
    name: "nightly",
    env: { ...env, HIGRESS_AIRGAP_TEST_CONTROL_PLANE: "pilot" },
    include: ["test/nightly/*.test.ts", "test/contract/gateway-*.test.ts", "test/e2e/real-gateway.test.ts"],
  },
};

export default defineConfig({
  test: {
    projects: [
      // One process reads every module once for all files: less than half of the time. What a test changes outside
      // itself it puts back.
      {
        test: {
          ...project("unit", ["test/*.test.ts", "test/unit/**/*.test.ts", "test/messages/**/*.test.ts"], 120_000, false)
            .test,
          // As the program is packed (scripts/bundle/options.mjs): the package's own is a tenth of this suite's time.
          alias: { "string-width": resolve("scripts/bundle/string-width.ts") },
          server: { deps: { inline: [/\/node_modules\/(yargs|cliui|wrap-ansi)\//] } },
        },
      },
      { test: contract },
      {
        plugins: [packedModules()],
        test: {
          ...contract,
          name: "packed",
          // A bundler may lose what a module does besides exporting; these are the suites that meet the world.
          include: ["test/packed/*.test.ts", ...contract.include],
          exclude: samePacked.map((name) => `test/contract/${name}.test.ts`),
          globalSetup: "test/packed/modules.ts",
          server: { deps: { external: [/\/\.cache\/packed-/] } },
        },
      },
      { test: e2e },
      {
        test: {
          ...e2e,
          name: "executable",
          env: { ...env, HIGRESS_AIRGAP_TEST_PROGRAM: "executable" },
          include: existsSync(executable)
            ? onExecutable.map((name) => `test/e2e/${name}.test.ts`)
            : ["test/executable/none.test.ts"],
        },
      },
      ...(process.env["NIGHTLY"] === "1" ? [nightly] : []),
    ],
  },
});
