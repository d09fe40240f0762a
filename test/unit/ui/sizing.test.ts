import { describe, expect, it } from "vitest";
import { sizingDocument, sizingLines, type Sizing } from "../../../src/ui/sizing.ts";

const fat = 2 ** 32;
const mebi = 1024 ** 2;
const one = { own: new Map([["linux/arm64", 1]]), shared: 1 };
const sizing = (facts: Partial<Sizing>): Sizing => ({ size: fat, platforms: one, missing: [], ...facts });

describe("what a bundle asks of the stick", () => {
  it.each([
    [{ size: fat - 1 }, "en", "carry: 4.0 GiB must be free on the medium, as one file on FAT32 too"],
    [
      {},
      "en",
      "carry: 4.0 GiB must be free on the medium; FAT32 takes no file of 4 GiB and more: build with --volume-size 3900MiB for it",
    ],
    [
      { volumeSize: 3900 * mebi },
      "en",
      "carry: 4.0 GiB must be free on the medium, as volumes on FAT32 too: 2 of 3.8 GiB at most",
    ],
    [
      { size: 3 * fat, volumeSize: fat },
      "en",
      "carry: 12.0 GiB must be free on the medium; volumes of 4.0 GiB are too large for FAT32: --volume-size 3900MiB",
    ],
    [{}, "zh", "携带：介质上需有 4.0 GiB 可用空间；FAT32 不支持 4 GiB 及以上的文件，请加 --volume-size 3900MiB 构建"],
    [
      { volumeSize: 3900 * mebi },
      "zh",
      "携带：介质上需有 4.0 GiB 可用空间，分卷后 FAT32 也可存放：共 2 卷，每卷至多 3.8 GiB",
    ],
  ] as const)("says of %j in %s whether FAT32 takes it", (facts, language, line) => {
    expect(sizingLines(sizing(facts), language)[0]).toBe(line);
  });

  it("says how long it takes at the rates that there usually are, or at the one that somebody knows", () => {
    expect(sizingLines(sizing({ size: 600 * mebi }), "en")[1]).toBe(
      "time: 10m00s (1.0 MiB/s), 1m00s (10.0 MiB/s), 6s (100.0 MiB/s), to fetch and again to copy",
    );
    expect(sizingLines(sizing({ size: 600 * mebi, rate: 2 * mebi }), "zh")[1]).toBe(
      "用时：5m00s (2.0 MiB/s)，获取与拷贝各一次",
    );
  });

  it("says what each platform adds where there are several, and what will be missing", () => {
    const platforms = {
      own: new Map([
        ["linux/amd64", 300 * mebi],
        ["linux/arm64", 200 * mebi],
      ]),
      shared: 100 * mebi,
    };
    const facts = sizing({ size: 600 * mebi, platforms, missing: ["no helm for linux/arm64"] });
    expect(sizingLines(facts, "en").filter((line) => !/^(carry|time)/.test(line))).toEqual([
      "linux/amd64 adds: 300.0 MiB",
      "linux/arm64 adds: 200.0 MiB",
      "for every platform: 100.0 MiB",
      "missing inside: no helm for linux/arm64",
    ]);
    expect(sizingLines(sizing({}), "en").at(-1)).toBe("missing inside: nothing that a build can know");
  });

  it("has the same for machines", () => {
    expect(sizingDocument(sizing({ volumeSize: 3900 * mebi, rate: mebi }))).toEqual({
      size: fat,
      largestFile: 3900 * mebi,
      volumes: 2,
      fat32: true,
      platforms: { own: { "linux/arm64": 1 }, shared: 1 },
      seconds: { [mebi]: 4096 },
      missing: [],
    });
  });
});
