import { describe, expect, it } from "vitest";
import type { Lock, LockFile } from "../../../src/model/lock.ts";
import { refuseOtherFiles } from "../../../src/pipeline/locked.ts";
import { aPackInput } from "../../rig/bundle-input.ts";

const file = (name: string, sum = "a"): LockFile => ({ name, size: 1, sha256: sum.repeat(64) });
const lockOf = (...files: LockFile[]): Lock => ({ ...aPackInput().lock, files });
const spec = file("manifests/bundle.yaml");

describe("refuseOtherFiles", () => {
  it("is content with the same files in any order", () => {
    expect(() => refuseOtherFiles(lockOf(spec, file("crds/a.yaml")), [file("crds/a.yaml"), spec])).not.toThrow();
  });

  it.each([
    ["a file that the lock has and we do not", [spec, file("crds/a.yaml")], [spec], "crds/a.yaml", "a", "-"],
    ["a file that we have and the lock does not", [spec], [spec, file("crds/a.yaml")], "crds/a.yaml", "-", "a"],
    ["a file that is another", [spec, file("crds/a.yaml")], [spec, file("crds/a.yaml", "b")], "crds/a.yaml", "a", "b"],
    ["the spec first", [file("a"), spec], [file("a", "b"), file(spec.name, "b")], "manifests/bundle.yaml", "a", "b"],
  ])("names %s", (_what, locked, got, what, wanted, found) => {
    const sum = (letter: string): string => (letter === "-" ? "-" : letter.repeat(64));
    expect(() => refuseOtherFiles(lockOf(...locked), got)).toThrow(
      expect.objectContaining({ code: "CONTENT_MISMATCH", facts: { what, wanted: sum(wanted), got: sum(found) } }),
    );
  });
});
