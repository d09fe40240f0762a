import { describe, expect, it } from "vitest";
import { Failure } from "../../../src/model/failure.ts";
import { finding } from "../../../src/model/finding.ts";
import { describeFailure, describeFinding } from "../../../src/ui/failure.ts";

describe.each(["en", "zh"] as const)("a sentence in %s whose fact is empty", (language) => {
  it("does not end in nothing, nor in a sign", () => {
    const facts = { reference: "r/i:1", platform: "linux/arm64", has: "" };
    expect(describeFailure(new Failure("PLATFORM_MISSING", facts), language).message).toMatch(/(none|无)$/);
    const receipt = new Failure("RECEIPT_MISSING", {
      release: "higress",
      namespace: "higress-system",
      where: "before",
    });
    const { message, hint } = describeFailure(receipt, language);
    expect(message).toMatch(/before the last install$|上一次安装之前/);
    expect(hint).toContain("helm -n higress-system uninstall higress");
    const unrepaired = describeFailure(new Failure("CONTENT_MISSING", { what: "bin/a", where: "sources" }), language);
    expect(unrepaired.message).toContain("--from");
    expect(unrepaired.hint).toMatch(/--from .*--request/);
    const volume = finding("error", "bundle.volume-missing", { volume: "b.tar.001", items: "" });
    expect(describeFinding(volume, language).message).toMatch(/the bundle as a whole$|；整个离线包 需要它$/);
  });
});
