import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { told } from "../rig/sentences.ts";
import { aTempDirectory } from "../rig/temp-directory.ts";

describe("what somebody wrote by hand", () => {
  let folder = "";
  beforeAll(async () => {
    const opened = await aTempDirectory();
    folder = opened.path;
    return () => opened[Symbol.asyncDispose]();
  });

  it("a bundle spec with mistakes: each with its line and column, all at once, exit 2", async () => {
    const lines = [
      "apiVersion: higress-airgap/v2",
      "kind: BundleSpec",
      "name: Higress!",
      "version: 2.2.4",
      "platfroms: [linux/amd64]",
      "platforms: [linux]",
      "charts:",
      "  - name: higress",
      "    from: 7",
    ];
    await writeFile(join(folder, "bad.yaml"), `${lines.join("\n")}\n`);
    expect(await told(["build", "bad.yaml", "--out", "never.tar"], folder)).toMatchInlineSnapshot(`
      {
        "en": "✗ usage: "<folder>/bad.yaml" cannot be used:
      <folder>/bad.yaml:1:13 apiVersion - Invalid input: expected "higress-airgap/v1"
      <folder>/bad.yaml:3:7 name - expected a name: letters, digits, . _ -
      <folder>/bad.yaml:5:1 platfroms - unknown key; did you mean platforms?
      <folder>/bad.yaml:6:13 platforms.0 - expected a platform: linux/amd64
      <folder>/bad.yaml:8:5 charts.0.version - missing; expected string
      <folder>/bad.yaml:9:11 charts.0.from - Invalid input: expected string, received number; put it in quotes [CONFIG_INVALID]
        next: Correct every line above and run the same command again.",
        "exitCode": 2,
        "zh": "✗ 用法：“<folder>/bad.yaml”无法使用：
      <folder>/bad.yaml:1:13 apiVersion - 应为 "higress-airgap/v1"
      <folder>/bad.yaml:3:7 name - 应为名称：字母、数字、. _ -
      <folder>/bad.yaml:5:1 platfroms - 未知的键；是不是 platforms？
      <folder>/bad.yaml:6:13 platforms.0 - 应为平台：linux/amd64
      <folder>/bad.yaml:8:5 charts.0.version - 缺少；应为字符串
      <folder>/bad.yaml:9:11 charts.0.from - 应为字符串，实际是数字；请加引号 [CONFIG_INVALID]
        下一步：请改正上面每一行，再运行同一条命令。",
      }
    `);
  });

  it("a site file with mistakes, in the same way", async () => {
    const lines = [
      "apiVersion: higress-airgap/v1",
      "kind: Site",
      "registry:",
      "  host: https://harbor.corp/",
      "  project: Higress",
      "  insecure: yes please",
      "plugins: { mode: ftp, enabled: [key-auth] }",
    ];
    await writeFile(join(folder, "bad-site.yaml"), `${lines.join("\n")}\n`);
    expect(await told(["push", "carried.tar", "--site", "bad-site.yaml"], folder)).toMatchInlineSnapshot(`
      {
        "en": "✗ usage: "<folder>/bad-site.yaml" cannot be used:
      <folder>/bad-site.yaml:4:9 registry.host - expected host or host:port, without https:// and path
      <folder>/bad-site.yaml:5:12 registry.project - expected a project: small letters, digits, . _ -, with / for a path
      <folder>/bad-site.yaml:6:13 registry.insecure - Invalid input: expected boolean, received string
      <folder>/bad-site.yaml:7:18 plugins.mode - Invalid option: expected one of "oci"|"http"|"none"
      <folder>/bad-site.yaml:7:23 plugins.enabled - unknown key; did you mean enable? [CONFIG_INVALID]
        next: Correct every line above and run the same command again.",
        "exitCode": 2,
        "zh": "✗ 用法：“<folder>/bad-site.yaml”无法使用：
      <folder>/bad-site.yaml:4:9 registry.host - 应为 host 或 host:port，不带 https:// 和路径
      <folder>/bad-site.yaml:5:12 registry.project - 应为项目：小写字母、数字、. _ -，路径用 /
      <folder>/bad-site.yaml:6:13 registry.insecure - 应为 true 或 false，实际是字符串
      <folder>/bad-site.yaml:7:18 plugins.mode - 应为其中之一："oci"、"http"、"none"
      <folder>/bad-site.yaml:7:23 plugins.enabled - 未知的键；是不是 enable？ [CONFIG_INVALID]
        下一步：请改正上面每一行，再运行同一条命令。",
      }
    `);
    await writeFile(join(folder, "bad-site.yaml"), "registry:\n  host: a\n host: b\n");
    expect(await told(["push", "carried.tar", "--site", "bad-site.yaml"], folder)).toMatchInlineSnapshot(`
      {
        "en": "✗ usage: "<folder>/bad-site.yaml" cannot be used:
      <folder>/bad-site.yaml:3:2 bad indentation of a mapping entry [CONFIG_INVALID]
        next: Correct every line above and run the same command again.",
        "exitCode": 2,
        "zh": "✗ 用法：“<folder>/bad-site.yaml”无法使用：
      <folder>/bad-site.yaml:3:2 缩进不对 [CONFIG_INVALID]
        下一步：请改正上面每一行，再运行同一条命令。",
      }
    `);
  });
});
