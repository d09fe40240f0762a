import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseConfig } from "../../src/edge/files/config.ts";
import { isFailure } from "../../src/model/failure.ts";
import { Site } from "../../src/model/site.ts";
import { BundleSpec } from "../../src/model/spec.ts";
import { problemWords } from "../../src/ui/messages/problem-words.ts";

const inChinese = (what: string): string => problemWords(`f.yaml:1:2 a.b - ${what}`, "zh");
const sources = ["names", "spec", "site", "symptom"]
  .map((name) => readFileSync(`src/model/${name}.ts`, "utf8"))
  .join("\n");

function problemsOf(text: string, schema: typeof Site | typeof BundleSpec): readonly string[] {
  try {
    parseConfig(text, "f.yaml", schema);
  } catch (error) {
    if (isFailure(error, "CONFIG_INVALID")) return error.facts.problems.split("\n");
  }
  return [];
}

describe("problemWords", () => {
  it("says in Chinese what each of our schemas expects", () => {
    const said = [...sources.matchAll(/error: "(expected [^"]+)"/g)].map((match) => match[1] ?? "");
    const made = [...sources.matchAll(/(?:expecting|matching)\(\s*"([^"]+)"/g)].map(
      (match) => `expected ${match[1] ?? ""}`,
    );
    expect(said.length + made.length).toBe(27);
    for (const what of [...said, ...made]) expect(inChinese(what)).toMatch(/^f\.yaml:1:2 a\.b - 应为.*\p{Script=Han}/u);
  });

  it("names the character that a pasted reference holds, since it may show as nothing", () => {
    const head = "apiVersion: higress-airgap/v1\nkind: BundleSpec\nname: n\nversion: '1'\n";
    const problems = problemsOf(`${head}images: ["registry.example/a\uff1a1", "b:1\\u200b", "Not One"]\n`, BundleSpec);
    expect(problemWords(problems.join("\n"), "en")).toMatchInlineSnapshot(`
      "f.yaml:5:10 images.0 - expected an image reference: registry/repository:tag; it holds a full-width colon (U+FF1A)
      f.yaml:5:34 images.1 - expected an image reference: registry/repository:tag; it holds a zero-width space (U+200B)
      f.yaml:5:47 images.2 - expected an image reference: registry/repository:tag; it holds a space (U+0020)"
    `);
    expect(problemWords(problems.join("\n"), "zh")).toMatchInlineSnapshot(`
      "f.yaml:5:10 images.0 - 应为镜像引用：registry/repository:tag；其中有全角冒号（U+FF1A）
      f.yaml:5:34 images.1 - 应为镜像引用：registry/repository:tag；其中有零宽空格（U+200B）
      f.yaml:5:47 images.2 - 应为镜像引用：registry/repository:tag；其中有空格（U+0020）"
    `);
  });

  it("says in Chinese what people get wrong, and leaves places and names as they are", () => {
    const site = "apiVersion: 1\nkind: Bundle\nregistry: { host: h, project: p, insecure: no, plainhttp: 1 }\n";
    const more =
      'values: []\ncluster: { rolloutSeconds: 1, release: "", kubeconfig: "" }\nplugins: { mode: x, enable: a }\n';
    const problems = problemsOf(`${site}${more}colour: 1\n`, Site);
    expect(problemWords(problems.join("\n"), "zh")).toMatchInlineSnapshot(`
      "f.yaml:1:13 apiVersion - 应为 "higress-airgap/v1"
      f.yaml:2:7 kind - 应为 "Site"
      f.yaml:3:44 registry.insecure - 应为 true 或 false，实际是字符串
      f.yaml:3:48 registry.plainhttp - 未知的键；是不是 plainHttp？
      f.yaml:4:1 values - 应为映射，实际是列表
      f.yaml:5:28 cluster.rolloutSeconds - 应为至少 5
      f.yaml:5:40 cluster.release - 应为发布名：小写字母、数字和 -，最多 53 个
      f.yaml:5:56 cluster.kubeconfig - 应为至少 1 个字符
      f.yaml:6:18 plugins.mode - 应为其中之一："oci"、"http"、"none"
      f.yaml:6:29 plugins.enable - 应为列表，实际是字符串
      f.yaml:7:1 colour - 未知的键；可用的有：apiVersion、kind、registry、pull、cluster、values、valuesFiles、releases、inside、plugins、registries、trustKeys、stateDir"
    `);
    expect(problemWords(problems.join("\n"), "en")).toBe(problems.join("\n"));
  });

  it.each(["a: 1\n---\nb: 2\n", "kind: a\nkind: b\n", "a:\n  b: 1\n c: 2\n", "a:\n\tb: 1\n", "a: [1,"])(
    "knows what is wrong with %j as YAML",
    (text) => {
      const [problem = ""] = problemsOf(text, BundleSpec);
      expect(problemWords(problem, "zh")).toMatch(/^f\.yaml:\d+:\d+ [^a-z]*\p{Script=Han}/u);
    },
  );

  it("leaves what it does not know", () => {
    expect(inChinese("something new")).toBe("f.yaml:1:2 a.b - something new");
    expect(problemWords("plugins: no such plugin", "zh")).toBe("plugins: no such plugin");
  });
});
