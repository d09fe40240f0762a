import { describe, expect, it } from "vitest";
import { withReasons } from "../../../scripts/bench/reasons.mjs";

const page = (rows: string): string => `# Benchmarks

## Targets

A figure over its target is bold; the last column decides.

| what                                     | at most | 300 MiB  | 1024 MiB |
| ---------------------------------------- | ------- | -------- | -------- |
${rows}
## Costs

| verify | **9** |
`;

const reached =
  "| verify: verify / openssl dgst | 0.6 | **0.80** | 0.58 |\n| `status`, first words, ms | 300 | | 164 |\n";
const missed = "| push: CPU / that of the thriftiest peer | 1.1 | 1.00 | **3.11** |\n";
const unknown = "| brew: tea / coffee | 1 | | **2** |\n";

describe("the page of the benchmark", () => {
  it("says of each target that the largest size misses why, and where that is not known, so", () => {
    const told = withReasons(page(reached + missed + unknown));
    const [, section = ""] = told.split("### Not reached\n\n");
    const [first, second, ...rest] = section.split("\n");
    expect(first).toMatch(/^- push: CPU \/ that of the thriftiest peer \(3\.11\): .*sendfile/);
    expect(second).toBe("- brew: tea / coffee (2): Not explained yet.");
    expect(rest.join("\n")).toBe("\n## Costs\n\n| verify | **9** |\n");
  });

  it("is written again without what is reached by now", () => {
    const told = withReasons(page(reached + missed));
    expect(withReasons(told)).toBe(told);
    expect(withReasons(told.replace("**3.11**", "1.05"))).toBe(
      withReasons(page(reached + missed.replace("**3.11**", "1.05"))),
    );
    expect(withReasons(page(reached))).not.toContain("Not reached");
  });
});
