import { describe, expect, it } from "vitest";
import { receiptLines } from "../../../src/ui/status.ts";

describe("the installs that status lists", () => {
  it.each([
    ["en", ["undone", "last check: failed"]],
    ["zh", ["已撤销", "上次检查：失败"]],
  ] as const)("have their states in the reader's language: %s", (language, said) => {
    const install = {
      number: 1,
      bundle: "higress 2.2.4",
      state: "undone",
      started: "2026-11-29",
      tool: "0.1.0",
    } as const;
    const lastCheck = { at: "2026-11-29", state: "failed", number: 1 } as const;
    const shown = receiptLines(
      { receipts: { folder: "state", all: [install] }, lastCheck },
      { language, columns: 120 },
    );
    for (const words of said) expect(shown).toContain(words);
  });
});
