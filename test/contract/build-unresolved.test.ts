import { beforeAll, describe, expect, it } from "vitest";
import { Registries } from "../../src/model/spec.ts";
import { describeFinding } from "../../src/ui/failure.ts";
import { anImage, anIndex } from "../rig/builders/images.ts";
import { aWasmPlugin } from "../rig/builders/plugins.ts";
import { aPlannedBuild, type PlannedBuildResult } from "../rig/planned-build.ts";
import { aDockerRegistry, dockerRegistryUnavailable } from "../rig/registry-process.ts";
import { seed } from "../rig/seed.ts";

const unavailable = dockerRegistryUnavailable();
const host = "registry.example";
const closed = "closed.example";
const content = {
  [`${host}/a/good:1`]: anIndex(),
  [`${host}/a/lone:1`]: anImage({ architecture: "arm64" }),
  [`${host}/a/plugin:1`]: aWasmPlugin(),
};

describe.skipIf(unavailable !== undefined)(
  `a build of which much cannot be had (${unavailable ?? "docker-registry"})`,
  () => {
    let built: PlannedBuildResult;
    beforeAll(async () => {
      await using source = await aDockerRegistry();
      await seed(source.url, content);
      built = await aPlannedBuild({
        images: [
          ...["good:1", "lone:1", "plugin:1", "missing:1", "missing:2"].map((name) => `${host}/a/${name}`),
          ...["one:1", "two:1", "three:1"].map((name) => `${closed}/a/${name}`),
        ],
        plugins: { list: [{ name: "absent", ref: `oci://${host}/plugins/absent:1` }] },
        registries: Registries.parse({
          [host]: { endpoints: [{ url: source.url }] },
          // Nothing listens on this port.
          [closed]: { endpoints: [{ url: "http://127.0.0.1:1" }] },
        }),
      });
    }, 60_000);

    it("names every image and plugin, each once with its reason and what to do", () => {
      expect(built.failure).toMatchObject({ code: "FINDINGS", facts: { count: 6 } });
      const told = built.findings.map(({ code, facts }) => ({
        code,
        ...(facts as { reference: string; why: string }),
      }));
      expect(told.map(({ code, reference, why }) => [code, reference, why])).toEqual([
        ["source.unresolved", `${closed}/a/one:1 (+2)`, "REGISTRY_UNREACHABLE"],
        ["source.unresolved", `${host}/a/lone:1`, "PLATFORM_MISSING"],
        ["source.unresolved", `${host}/a/missing:1`, "REGISTRY_NOT_FOUND"],
        ["source.unresolved", `${host}/a/missing:2`, "REGISTRY_NOT_FOUND"],
        ["source.unresolved", `${host}/a/plugin:1`, "IMAGE_UNUSABLE"],
        ["source.unresolved", `${host}/plugins/absent:1`, "REGISTRY_NOT_FOUND"],
      ]);
      const [, lone] = built.findings;
      if (lone === undefined) return expect.unreachable();
      expect(describeFinding(lone, "en")).toMatchObject({
        message: `Cannot get ${host}/a/lone:1 (spec): "${host}/a/lone:1" has no linux/amd64; it has: linux/arm64 [PLATFORM_MISSING]`,
        remedy: "Choose other platforms, or add --allow-missing to carry what there is.",
      });
      expect(describeFinding(lone, "zh").message).toContain("没有 linux/amd64");
    });

    it("counts through all that it asks for, each by its name", () => {
      const steps = built.events.flatMap((event) =>
        event.type === "step" && event.phase === "resolve" ? [event] : [],
      );
      const images = steps.filter(({ items }) => items === 8);
      expect(new Set(images.map(({ name }) => name)).size).toBe(8);
      expect(images.map(({ done }) => done)).toEqual(images.map(({ done }) => done).sort((a, b) => a - b));
      expect(images[0]?.done).toBe(0);
      expect(steps.at(-1)).toMatchObject({ name: `${host}/plugins/absent:1`, done: 0, items: 1 });
    });

    it("asks no more of a host that does not answer, and says nothing of what it gave up", () => {
      const retries = built.events.flatMap((event) => (event.type === "retry" ? [`${event.what} ${event.why}`] : []));
      expect(retries.filter((text) => /DESTROYED|abort/i.test(text))).toEqual([]);
    });
  },
);

it.skipIf(unavailable !== undefined)(
  "a registry that wants a login for all of it is told once, as the one thing that is to do",
  async () => {
    await using source = await aDockerRegistry({ htpasswd: { user: "reader", password: "right" } });
    const { failure, findings } = await aPlannedBuild({
      images: [`${host}/a/one:1`, `${host}/a/two:1`, `${host}/a/three:1`],
      registries: Registries.parse({ [host]: { endpoints: [{ url: source.url }] } }),
    });
    expect(failure).toMatchObject({ code: "REGISTRY_UNAUTHORIZED" });
    expect(findings).toEqual([]);
  },
);

describe("references that were pasted", () => {
  it.each([
    ["U+FF1A", "registry.example/a/b\uff1a1", "a full-width colon (U+FF1A)", "全角冒号"],
    ["U+00A0", "registry.example/a/b:1\u00a0", "a no-break space (U+00A0)", "不换行空格"],
    ["U+200B", "registry.example/a/\u200bb:1", "a zero-width space (U+200B)", "零宽空格"],
  ])("are told by the character %s that they hold, and stop the build", async (point, image, en, zh) => {
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "p" },
      spec: { containers: [{ name: "c", image }] },
    };
    const { failure, findings } = await aPlannedBuild({ manifests: { "own.yaml": JSON.stringify(pod) } });
    expect(failure).toMatchObject({ code: "FINDINGS" });
    expect(findings).toMatchObject([{ severity: "error", code: "reference.unreadable", facts: { why: point } }]);
    const [found] = findings;
    if (found === undefined) return expect.unreachable();
    expect(describeFinding(found, "en").message).toContain(en);
    expect(describeFinding(found, "zh").message).toContain(zh);
  });
});
