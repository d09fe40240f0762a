import { describe, expect, it } from "vitest";
import { Failure } from "../../../src/model/failure.ts";
import { finding } from "../../../src/model/finding.ts";
import { describeFailure, describeFinding } from "../../../src/ui/failure.ts";

describe("what is empty", () => {
  it.each([
    [new Failure("PLUGIN_ABSENT", { plugins: "cors", namespace: "ns", there: "-" }), "there is: no plugin at all."],
    [new Failure("CONTENT_MISMATCH", { what: "crds/1.yaml", wanted: "-", got: "aa" }), "wanted no such file, got aa"],
  ])("is told in words: %s", (failure, words) => {
    expect(describeFailure(failure, "en").message).toContain(words);
    expect(describeFailure(failure, "zh").message).not.toMatch(/[：是为] ?(?:-|。|，|$)/);
  });

  it.each([
    [finding("error", "plugin.abi", { plugin: "p", has: "-" }), "exports: none"],
    [finding("warning", "chart.value-unread", { chart: "c", path: "a", near: "-" }), "knows: none that is like it"],
    [
      finding("warning", "outdated.plugin", { plugin: "p", carried: "-", console: "r/p:1", chart: "c 1" }),
      "carried is nothing of it",
    ],
    [finding("warning", "site.release-unknown", { release: "r", known: "" }), "it installs: no chart"],
  ])("is told in words, of findings: %o", (found, words) => {
    expect(describeFinding(found, "en").message).toContain(words);
    expect(describeFinding(found, "zh").message).not.toMatch(/[：是为] ?(?:-|$)/);
  });
});
