import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadBundleSpec, loadSite, parseConfig, parseRelocationMap } from "../../../../src/edge/files/config.ts";
import { Failure, isFailure } from "../../../../src/model/failure.ts";
import { Site } from "../../../../src/model/site.ts";
import { BundleSpec } from "../../../../src/model/spec.ts";
import { problemWords } from "../../../../src/ui/messages/problem-words.ts";
import { processorTime } from "../../../rig/processor-time.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "config-test-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function problemsOf(text: string, schema: typeof BundleSpec | typeof Site = BundleSpec): readonly string[] {
  try {
    parseConfig(text, "f.yaml", schema);
  } catch (error) {
    if (error instanceof Failure && error.code === "CONFIG_INVALID")
      return (error.facts as { problems: string }).problems.split("\n");
    throw error;
  }
  return [];
}

const head = "apiVersion: higress-airgap/v1\nkind: BundleSpec\nname: higress\nversion: 2.2.4\n";

describe("parseConfig", () => {
  it("names every mistake at once, each where it stands", () => {
    const text = `${head}platforms: [linux]\ncharts:\n  - name: a b\n    from: x\n    relocation: r\n    version: 1.10\n`;
    expect(problemsOf(text)).toEqual([
      "f.yaml:5:13 platforms.0 - expected a platform: linux/amd64",
      "f.yaml:7:11 charts.0.name - expected a chart name: letters, digits, . _ -",
      "f.yaml:10:14 charts.0.version - Invalid input: expected string, received number; put it in quotes",
    ]);
  });

  it("shows an unknown key at the key, and the key that was meant", () => {
    expect(problemsOf(`${head}platfroms: []\n`)).toEqual([
      "f.yaml:5:1 platfroms - unknown key; did you mean platforms?",
    ]);
    expect(problemsOf(`${head}images:\n  - { ref: nginx, platform: [] }\n`)).toEqual([
      "f.yaml:6:19 images.0.platform - unknown key; did you mean platforms?",
    ]);
    const registries = `${head}registries:\n  docker.io:\n    endpoints: [{ url: "https://m", insecur: true }]\n`;
    expect(problemsOf(registries)).toEqual([
      "f.yaml:7:37 registries.docker.io.endpoints.0.insecur - unknown key; did you mean insecure?",
    ]);
  });

  it("refuses a login in a URL, which would travel with the bundle, and does not repeat it", () => {
    const endpoint = `registries:\n  docker.io:\n    endpoints: [{ url: "https://me:hunter2@mirror.corp" }]\n`;
    const chart = `charts:\n  - { name: c, version: "1", from: "https://me:hunter2@charts.corp/x", relocation: r }\n`;
    const problems = problemsOf(`${head}${endpoint}${chart}`);
    expect(problems).toHaveLength(2);
    expect(problems.join("\n")).toMatch(/endpoints\.0\.url[\s\S]*charts\.0\.from/);
    expect(problems.join("\n")).not.toContain("hunter2");
    const chartOfRegistry = `charts:\n  - { name: c, version: "1", from: "oci://r.corp/c@sha256:0", relocation: r }\n`;
    expect(parseConfig(`${head}${chartOfRegistry}`, "f.yaml", BundleSpec).charts).toHaveLength(1);
  });

  it("lists what is known when no key is near", () => {
    expect(problemsOf(`${head}colour: red\n`)[0]).toMatch(
      /^f\.yaml:5:1 colour - unknown key; known: apiVersion, kind, name,/,
    );
  });

  it("shows a member that is missing at what it is missing from", () => {
    expect(problemsOf(`${head}charts:\n  - name: higress\n    version: "1"\n    relocation: x\n`)).toEqual([
      "f.yaml:6:5 charts.0.from - missing; expected string",
    ]);
  });

  it("refuses a program that bin/ could not have under that name, before anything is asked", () => {
    expect(problemsOf(`${head}tools:\n  helm linux: { path: helm }\n  helm-linux-amd64: { path: helm }\n`)).toEqual([
      "f.yaml:6:3 tools.helm linux - expected a name: letters, digits, . _ -",
    ]);
  });

  it.each([
    ["a flow list that does not end", "a: [1,", "f.yaml:1:7 "],
    ["a key that is there twice", "kind: a\nkind: b\n", "f.yaml:2:1 duplicated mapping key"],
    ["two documents", "a: 1\n---\nb: 2\n", "f.yaml:1:1 one document expected"],
    ["a tab as indentation", "a:\n\tb: 1\n", "f.yaml:2:1 "],
    ["an alias to what it stands in", "a: &a [*a]\n", "f.yaml:1:1 aliases grow"],
  ])("refuses %s", (_name, text, start) => {
    expect(problemsOf(text)[0]?.startsWith(start)).toBe(true);
  });

  it("ends within a second of work on aliases that grow to a thousand million nodes", () => {
    const levels = "abcdefghi".split("").map((name, at, all) => {
      const inner = at === 0 ? "x" : `*${all[at - 1] ?? ""}`;
      return `${name}: &${name} [${Array.from({ length: 10 }, () => inner).join(", ")}]`;
    });
    const worked = processorTime();
    expect(problemsOf(levels.join("\n"))[0]).toContain("aliases grow");
    expect(worked()).toBeLessThan(1000);
  });

  it("refuses nesting that no configuration has", () => {
    expect(problemsOf(`a: ${"[".repeat(100)}${"]".repeat(100)}`)[0]).toContain("f.yaml:1:");
  });

  it("reads merge keys and anchors, which people use for registries", () => {
    const spec = parseConfig(`${head}images: &i [nginx:1.25]\nregistries: {}\n`, "f.yaml", BundleSpec);
    expect(spec.images).toEqual(["nginx:1.25"]);
  });

  it("never throws anything but a Failure, whatever the text is", () => {
    const yamlish = fc.string({ unit: fc.constantFrom(..."ab: -[]{}&*!|>'\"\n\t#,?@`%0~".split("")), maxLength: 40 });
    fc.assert(
      fc.property(
        fc.oneof(
          yamlish,
          fc.string(),
          yamlish.map((text) => `${head}${text}`),
        ),
        (text) => {
          try {
            parseConfig(text, "f.yaml", BundleSpec);
          } catch (error) {
            expect(error).toBeInstanceOf(Failure);
          }
        },
      ),
      { seed: 11, numRuns: 2000 },
    );
  });

  it("keeps secrets out of a failure that quotes the file", () => {
    const error = problemsOf("registry:\n  host: h\n  password: hunter2\n  project: 5\n", Site).join("\n");
    expect(error).toContain("password - unknown key");
    expect(error).not.toContain("hunter2");
  });
});

describe("loadBundleSpec and loadSite", () => {
  it("make every path absolute, from the file that names it", async () => {
    const path = join(folder, "bundle.yaml");
    const chart =
      "{ name: h, version: '1', from: ./c.tgz, relocation: r.yaml, valuesFiles: [v.yaml], mirrors: [https://m] }";
    await writeFile(path, `${head}charts: [${chart}]\nmanifests: [{ path: m.yaml }]\n`);
    const spec = await loadBundleSpec(path);
    expect(spec.charts[0]).toMatchObject({
      from: join(folder, "c.tgz"),
      relocation: join(folder, "r.yaml"),
      valuesFiles: [join(folder, "v.yaml")],
      mirrors: ["https://m"],
    });
    expect(spec.manifests).toEqual([{ path: join(folder, "m.yaml") }]);
  });

  it("leave a program without a slash to PATH, and keep the state beside the site file", async () => {
    const path = join(folder, "site.yaml");
    const registry = "registry: { host: h, project: p, ca: ca.pem, credentials: { username: u, passwordFile: ../pw } }";
    await writeFile(
      path,
      `apiVersion: higress-airgap/v1\nkind: Site\n${registry}\ncluster: { helm: helm, kubectl: ./k }\n`,
    );
    const site = await loadSite(path);
    expect(site.registry.ca).toBe(join(folder, "ca.pem"));
    expect(site.registry.credentials?.passwordFile).toBe(join(tmpdir(), "pw"));
    expect(site.cluster).toMatchObject({ helm: "helm", kubectl: join(folder, "k") });
    expect(site.stateDir).toBe(join(folder, "higress-airgap.state"));
  });

  it("say which file is missing, too large, or not text", async () => {
    await expect(loadSite(join(folder, "none.yaml"))).rejects.toMatchObject({ code: "FILE_MISSING" });
    await writeFile(join(folder, "large.yaml"), Buffer.alloc(5 * 1024 ** 2, "#"));
    await expect(loadSite(join(folder, "large.yaml"))).rejects.toMatchObject({ code: "FILE_UNREADABLE" });
    await writeFile(join(folder, "latin.yaml"), Buffer.from([0x61, 0x3a, 0x20, 0xe4]));
    await expect(loadSite(join(folder, "latin.yaml"))).rejects.toMatchObject({ code: "FILE_ENCODING" });
  });
});

describe("mistakes without end", () => {
  it.each([
    ["values", `platforms: [${"0,".repeat(5000)}0]`],
    ["keys", `{${Array.from({ length: 5000 }, (_, at) => `k${at}: 1`).join(", ")}}`],
  ])("are told as far as anybody reads: %s", (_what, text) => {
    const problems = (() => {
      try {
        parseConfig(text, "f.yaml", BundleSpec);
      } catch (error) {
        return isFailure(error, "CONFIG_INVALID") ? error.facts.problems.split("\n") : [];
      }
      return [];
    })();
    expect(problems).toHaveLength(51);
    expect(problems[50]).toMatch(/^and (49|50)\d{2} more$/);
    expect(problemWords(problems[50] ?? "", "zh")).toMatch(/^还有 \d+ 处$/);
  });
});

describe("parseRelocationMap", () => {
  const map = (value: string): string =>
    `apiVersion: higress-airgap/v1\nkind: RelocationMap\nchart: c\nversion: "1"\ngateway: g\nimages:\n  - { path: a, value: ${value} }\n`;

  it("refuses a placeholder that nothing fills in", () => {
    expect(() => parseRelocationMap(map('"{prefxi}/x"'), "r.yaml")).toThrow(
      /r\.yaml:7:23 images\.0\.value - unknown placeholder \{prefxi\}; did you mean \{prefix\}\?/,
    );
    expect(() => parseRelocationMap(map('[{ name: "{secret}" }]'), "r.yaml")).toThrow(/images\.0\.value\.0\.name/);
  });

  it("leaves the console's own variables alone", () => {
    expect(parseRelocationMap(map('"{pluginServer}/${name}/{plugin:a-b}"'), "r.yaml").images).toHaveLength(1);
  });
});
