import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { isFailure } from "../../src/model/failure.ts";
import { MediaType } from "../../src/model/media-type.ts";
import { Registries } from "../../src/model/spec.ts";
import { describeFinding } from "../../src/ui/failure.ts";
import { aBlob, aParent, type Graph } from "../rig/builders/graph.ts";
import { anImage, anIndex } from "../rig/builders/images.ts";
import { aWasmPlugin } from "../rig/builders/plugins.ts";
import { runCommand } from "../rig/command.ts";
import { aMemoryRegistry } from "../rig/memory-registry.ts";
import { aPlannedBuild, type PlannedBuildResult } from "../rig/planned-build.ts";
import { aDockerRegistry, dockerRegistryUnavailable } from "../rig/registry-process.ts";
import { seed } from "../rig/seed.ts";
import { aTempDirectory } from "../rig/temp-directory.ts";
import { aProxyPlugin } from "../rig/wasm/module.ts";

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
    });

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
    const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "p" }, ...{ spec: { containers: [{ image }] } } };
    const { failure, findings } = await aPlannedBuild({ manifests: { "own.yaml": JSON.stringify(pod) } });
    expect(failure).toMatchObject({ code: "FINDINGS" });
    expect(findings).toMatchObject([{ severity: "error", code: "reference.unreadable", facts: { why: point } }]);
    const [found] = findings;
    if (found === undefined) return expect.unreachable();
    expect(describeFinding(found, "en").message).toContain(en);
    expect(describeFinding(found, "zh").message).toContain(zh);
  });
});

const locked = "locked.example";
const plain = (names: readonly string[]): readonly string[] => names.map((name) => `${host}/a/${name}:1`);
const nested = (image: Graph): Graph => {
  const within = (graph: Graph): Graph => aParent(MediaType.ociIndex, [graph], (child) => ({ manifests: [child] }));
  return within(within(image));
};
const arm = anImage({ architecture: "arm64" });
const artifact = aParent(
  MediaType.ociManifest,
  [aBlob("{}", "application/vnd.cncf.helm.config.v1+json")],
  (config) => ({ config, layers: [] }),
);

describe.skipIf(unavailable !== undefined)(
  `a spec in which everything is wrong (${unavailable ?? "docker-registry"})`,
  () => {
    const rig = { folder: "", open: "", locked: "" };
    beforeAll(async () => {
      const folder = await aTempDirectory();
      const [open, behindLogin] = [
        await aMemoryRegistry(),
        await aDockerRegistry({ htpasswd: { user: "reader", password: "right" } }),
      ];
      await seed(open.url, {
        ...Object.fromEntries(plain(["good", "wide", "spaced", "hidden"]).map((name) => [name, anIndex()])),
        [`${host}/a/nested:1`]: nested(anImage()),
        [`${host}/a/deep:1`]: nested(arm),
        [`${host}/a/index:1`]: anIndex({ "linux/arm64": arm }),
        [`${host}/a/lone:1`]: arm,
        [`${host}/a/artifact:1`]: artifact,
        [`${host}/plugins/p:1`]: aWasmPlugin({ module: aProxyPlugin({}), layout: "oci" }),
      });
      await fetch(`${open.url}/v2/a/old/manifests/1`, {
        method: "PUT",
        headers: { "content-type": "application/vnd.docker.distribution.manifest.v1+prettyjws" },
        body: '{"schemaVersion":1,"name":"a/old","tag":"1","fsLayers":[],"history":[]}',
      });
      Object.assign(rig, { folder: folder.path, open: open.url, locked: behindLogin.url });
      return async () => {
        await open[Symbol.asyncDispose]();
        await behindLogin[Symbol.asyncDispose]();
        await folder[Symbol.asyncDispose]();
      };
    });

    async function built(
      spec: { images: readonly string[]; plugins: readonly string[]; credentials?: object },
      { language = "en", args = [] }: { language?: "en" | "zh"; args?: readonly string[] } = {},
    ) {
      const endpoint = { url: rig.locked, ...(spec.credentials && { credentials: spec.credentials }) };
      const document = {
        ...{
          apiVersion: "higress-airgap/v1",
          kind: "BundleSpec",
          name: "bad",
          version: "1.0.0",
          platforms: ["linux/amd64"],
        },
        images: spec.images,
        plugins: { list: spec.plugins.map((ref, at) => ({ name: `p${String(at)}`, ref: `oci://${ref}` })) },
        registries: { [host]: { endpoints: [{ url: rig.open }] }, [locked]: { endpoints: [endpoint] } },
      };
      await writeFile(join(rig.folder, "bundle.yaml"), JSON.stringify(document, undefined, 1));
      let said = "";
      const options = { cwd: rig.folder, language, env: { READER: "right" }, says: (text: string) => (said += text) };
      const code = await runCommand(["build", "bundle.yaml", "--dry-run", ...args], options).then(
        (run) => run.code,
        (error: unknown) => (isFailure(error) ? error.code : Promise.reject(error as Error)),
      );
      return { code, said: said.replaceAll(/\s+/g, " ") };
    }

    const wrong = {
      images: [
        ...[`${host}/a/wide\uff1a1`, `${host}/a/spaced:1\u00a0`, `${host}/a/\u200bhidden:1`],
        ...plain(["good", "nested", "old", "artifact", "deep", "index", "lone", "gone"]),
        ...[`${locked}/a/one:1`, `${locked}/a/two:1`],
      ],
      plugins: [`${host}/plugins/p\uff1a1`, `${host}/plugins/gone:1`],
    };
    const reasons = {
      en: [
        "a full-width colon (U+FF1A)",
        "a no-break space (U+00A0)",
        "a zero-width space (U+200B)",
        "Docker's schema 1",
        "artifact and no image",
        "has no linux/amd64",
        "does not have it",
        "refused",
      ],
      zh: ["全角冒号", "不换行空格", "零宽空格", "Docker schema 1", "是制品", "没有 linux/amd64", "上没有", "拒绝"],
    };

    it.each(["en", "zh"] as const)(
      "names all of it in one run, each with its place, its reason and what to do: %s",
      async (language) => {
        const { code, said } = await built(wrong, { language });
        expect(code).toBe("FINDINGS");
        const places = ["images.0", "images.1", "images.2", "plugins.list.0.ref"];
        const named = [
          ...plain(["old", "artifact", "deep", "index", "lone", "gone"]),
          `${locked}/a/one:1 (+1)`,
          `${host}/plugins/gone:1`,
        ];
        for (const text of [...places, ...named, ...reasons[language], "--allow-missing"]) expect(said).toContain(text);
        for (const [, line] of said.matchAll(/bundle\.yaml:(\d+):/g)) expect(Number(line)).toBeGreaterThan(1);
        for (const fine of plain(["good", "nested"])) expect(said).not.toContain(fine);
      },
    );

    it("goes through when what it said is done", async () => {
      const typed = {
        images: [
          ...plain(["wide", "spaced", "hidden", "good", "nested", "deep", "index", "lone"]),
          `${locked}/a/one:1`,
        ],
        plugins: [`${host}/plugins/p:1`],
        credentials: { username: "reader", passwordEnv: "READER" },
      };
      const loggedIn = await built(typed, { args: ["--allow-missing"] });
      // Known now, the registry says that it has no such image.
      expect(loggedIn.code).toBe("REGISTRY_NOT_FOUND");
      const without = { ...typed, images: typed.images.filter((name) => !name.startsWith(locked)) };
      const { code, said } = await built(without, { args: ["--allow-missing"] });
      expect(said).toContain("bundle.platform-missing");
      expect([0, said]).toEqual([code, said]);
    });
  },
);
