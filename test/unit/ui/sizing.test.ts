import { describe, expect, it } from "vitest";
import { sizingLines } from "../../../src/ui/sizing.ts";

describe("what a bundle asks of the stick", () => {
  const fat = 2 ** 32;

  it.each([
    [fat - 1, "en", ["carry: 4.0 GiB must be free on the medium, as one file on FAT32 too"]],
    [
      fat,
      "en",
      [
        "carry: 4.0 GiB must be free on the medium; FAT32 takes no file of 4 GiB and more: build with --volume-size 3900MiB for it",
      ],
    ],
    [
      fat,
      "zh",
      ["携带：介质上需有 4.0 GiB 可用空间；FAT32 不支持 4 GiB 及以上的文件，请加 --volume-size 3900MiB 构建"],
    ],
  ] as const)("says of %d bytes in %s whether FAT32 takes them", (size, language, lines) => {
    expect(sizingLines(size, undefined, language)).toEqual(lines);
  });

  it("says how long it takes at a rate that somebody knows", () => {
    expect(sizingLines(600 * 1024 ** 2, 2 * 1024 ** 2, "en")[1]).toBe(
      "time: 5m00s at 2.0 MiB/s, to fetch and again to copy",
    );
    expect(sizingLines(600 * 1024 ** 2, 2 * 1024 ** 2, "zh")[1]).toBe(
      "用时：按 2.0 MiB/s 计为 5m00s，获取与拷贝各一次",
    );
  });
});
