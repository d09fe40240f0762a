import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { aTempDirectory } from "../rig/temp-directory.ts";

const script = await execa("script", ["--version"], { reject: false });
const because = script.failed ? " (not run: no script of util-linux)" : "";
const main = new URL("../../dist/main.mjs", import.meta.url).pathname;

/** What a terminal gets of a command whose bundle is not there. */
async function seen(locale: string, ...more: readonly string[]): Promise<Uint8Array> {
  await using folder = await aTempDirectory();
  const command = [process.execPath, main, "inspect", "missing.tar", ...more].join(" ");
  const { stdout } = await execa("script", ["-qec", command, "/dev/null"], {
    cwd: folder.path,
    env: { LC_ALL: locale, PATH: process.env["PATH"] },
    extendEnv: false,
    encoding: "buffer",
    reject: false,
  });
  return stdout;
}

const read = (bytes: Uint8Array, charset: string): string => new TextDecoder(charset, { fatal: true }).decode(bytes);

describe.skipIf(script.failed)(`a terminal${because}`, () => {
  it.each(["zh_CN.GB18030", "zh_CN.GBK", "zh_CN.gb2312"])("of %s reads Chinese in its own bytes", async (locale) => {
    const text = read(await seen(locale), "gb18030");
    expect(text).toContain("x 本机：");
    expect(text).toContain("不存在");
  });

  it.each(["zh_TW.BIG5", "ja_JP.eucJP", "en_US.ISO-8859-1"])("of %s reads English in ASCII", async (locale) => {
    const text = read(await seen(locale), "utf-8");
    expect(text).toMatch(/x this host: .* does not exist/);
    expect(text).not.toMatch(/[^\0-\x7f]/);
  });

  it.each([
    ["zh_CN.UTF-8", []],
    ["zh_CN.utf8", []],
    ["zh_CN", []],
    ["C", ["--lang", "zh"]],
    ["en_US.ISO-8859-1", ["--lang", "zh"]],
  ])("of %s with %j reads Chinese in UTF-8", async (locale, more) => {
    expect(read(await seen(locale, ...more), "utf-8")).toContain("✗ 本机：");
  });
});
