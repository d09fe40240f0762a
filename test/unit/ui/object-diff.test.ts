import { describe, expect, it } from "vitest";
import type { KubeObject } from "../../../src/model/kubernetes.ts";
import { objectDiff } from "../../../src/ui/object-diff.ts";

const object = (more: Readonly<Record<string, unknown>>, kind = "Deployment"): KubeObject => ({
  apiVersion: "v1",
  kind,
  metadata: { name: "x", namespace: "n" },
  ...more,
});
const name = "Deployment/n/x";

describe("the difference of an object", () => {
  it("is a unified diff of what somebody means, and nothing for what only the server writes", () => {
    const live = object({ spec: { replicas: 1 }, status: { ready: 1 } });
    const noise = { uid: "u", generation: 3, managedFields: [], resourceVersion: "7", creationTimestamp: "now" };
    const annotations = { "kubectl.kubernetes.io/last-applied-configuration": "{}" };
    const noisy: KubeObject = { ...live, metadata: { ...live.metadata, ...noise, annotations } };
    expect(objectDiff({ name, live: noisy, after: live })).toBeUndefined();
    expect(objectDiff({ name, live: noisy, after: object({ spec: { replicas: 2 } }) })).toBe(
      `--- ${name}\n+++ ${name}\n@@ -4,4 +4,4 @@\n   name: x\n   namespace: n\n spec:\n-  replicas: 1\n+  replicas: 2\n`,
    );
    expect(objectDiff({ name, after: object({}) })).toMatch(/^--- \/dev\/null\n[^]*^\+kind: Deployment$/m);
  });

  it("shows that a secret changes, and not what it is", () => {
    const secret = (data: object) => object({ data }, "Secret");
    const changed = objectDiff({
      name: "Secret/n/x",
      live: secret({ kept: "c2VjcmV0", changed: "b2xkLXNlY3JldA==", gone: "Z29uZQ==" }),
      after: secret({ kept: "c2VjcmV0", changed: "bmV3LXNlY3JldA==", added: "YWRkZWQ=" }),
    });
    expect(changed?.match(/^[-+] .*$/gm)).toEqual([
      "-  changed: '*** (before)'",
      "-  gone: '***'",
      "+  changed: '*** (after)'",
      "+  added: '***'",
    ]);
    const plugin = (credential: unknown, timeout: number) =>
      object(
        { spec: { url: "oci://a", defaultConfig: { timeout, consumers: [{ name: "n", credential }] } } },
        "WasmPlugin",
      );
    const of = (before: unknown, after: unknown) =>
      objectDiff({ name: "WasmPlugin/n/x", live: plugin(before, 1), after: plugin(after, 2) }) ?? "";
    expect(of("s3cret-one", "s3cret-two")).toContain("timeout: 2");
    for (const [before, after] of [
      ["s3cret-one", "s3cret-two"],
      ["s3cret-one", { in: "s3cret-two" }],
      [["s3cret-one"], "s3cret-two"],
    ])
      expect(of(before, after)).not.toContain("s3cret");
  });

  it("of two texts that have nothing in common is both of them", () => {
    const lines = (word: string) =>
      object({ data: Object.fromEntries([...Array(3000).keys()].map((at) => [`${word}${at}`, word])) });
    const diff = objectDiff({ name, live: lines("a"), after: lines("b") }) ?? "";
    expect(diff.match(/^- {2}a/gm)).toHaveLength(3000);
    expect(diff.match(/^\+ {2}b/gm)).toHaveLength(3000);
  });
});
