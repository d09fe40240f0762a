import { describe, expect, it } from "vitest";
import { terminalColumns } from "../../../src/cli/process.ts";
import { itemTable } from "../../../src/ui/sizing.ts";
import { leftOut, shortened, table, widthOf } from "../../../src/ui/width.ts";
import { anImage } from "../../rig/graph.ts";
import { aLockItem } from "../../rig/lock-item.ts";

const reference = "higress-registry.cn-hangzhou.cr.aliyuncs.com/higress/a-plugin-with-a-long-name:2.2.4";
const widest = (text: string): number => Math.max(...text.split("\n").map(widthOf));

describe("a table on a terminal", () => {
  const header = ["种类", shortened("引用"), "大小", leftOut("平台"), leftOut("摘要")];
  const rows = [
    ["镜像", reference, "1.0 MiB", "linux/amd64 linux/arm64", "sha256:0123456789ab"],
    ["插件", "short", "9.0 KiB", "linux/amd64", "sha256:ba9876543210"],
  ];

  it("is whole in a pipe", () => {
    expect(table(header, rows)).toBe(
      [
        `种类  引用${" ".repeat(reference.length - 4)}  大小     平台                     摘要`,
        `镜像  ${reference}  1.0 MiB  linux/amd64 linux/arm64  sha256:0123456789ab`,
        `插件  short${" ".repeat(reference.length - 5)}  9.0 KiB  linux/amd64              sha256:ba9876543210`,
        "",
      ].join("\n"),
    );
  });

  it("leaves out what matters least, then takes names their middle, and counts Chinese as two columns", () => {
    expect(table(header, rows, 130).split("\n")[0]).toMatch(/平台$/);
    const narrow = table(header, rows, 80);
    expect(widest(narrow)).toBe(80);
    expect(narrow).toMatch(/^镜像 {2}higress-\S+…\S+a-plugin-with-a-long-name:2\.2\.4 {2}1\.0 MiB$/m);
    expect(narrow).not.toMatch(/平台|摘要/);
    expect(widest(table(header, rows, 40))).toBe(40);
  });

  it("cuts no name to nothing, however narrow", () => {
    expect(table(header, rows, 1)).toMatch(/^镜像 {2}\S{12} {2}1\.0 MiB$/m);
  });

  it("lists the items of a bundle in 80 columns in both languages", () => {
    const items = [aLockItem(reference, anImage(), { platforms: ["linux/amd64", "linux/arm64"] })];
    for (const language of ["en", "zh"] as const) {
      expect(widest(itemTable(items, { language, columns: 80 }))).toBeLessThanOrEqual(80);
      expect(itemTable(items, { language })).toContain(reference);
    }
  });
});

describe("how wide it is", () => {
  it.each([
    [{ isTTY: true, columns: 132 }, {}, 132],
    [{ isTTY: true, columns: 0 }, { COLUMNS: "100" }, 100],
    [{ isTTY: true }, { COLUMNS: "wide" }, 80],
    [{ isTTY: false, columns: 132 }, { COLUMNS: "100" }, undefined],
  ])("is known of %j with %j", (stdout, env, columns) => {
    expect(terminalColumns({ stdout, env })).toBe(columns);
  });
});
