import { defineConfig } from "vitest/config";

// Empty proxies: a developer's environment must not reach into a test that talks to loopback.
const env = { HTTP_PROXY: "", HTTPS_PROXY: "", http_proxy: "", https_proxy: "", LANG: "C.UTF-8" };

const project = (name: string, include: string[], testTimeout: number, isolate = true) => ({
  test: { name, include, testTimeout, hookTimeout: testTimeout, env, pool: "forks" as const, maxWorkers: 2, isolate },
});

export default defineConfig({
  test: {
    projects: [
      // One process reads every module once for all files: less than half of the time. What a test changes outside
      // itself it puts back.
      project("unit", ["test/*.test.ts", "test/unit/**/*.test.ts", "test/messages/**/*.test.ts"], 20_000, false),
      project("contract", ["test/contract/**/*.test.ts"], 120_000),
      project("e2e", ["test/e2e/**/*.test.ts"], 600_000),
    ],
  },
});
