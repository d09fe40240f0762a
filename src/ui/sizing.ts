import { printBytes } from "../std/bytes.ts";
import { fill } from "./fill.ts";
import type { Language } from "./language.ts";
import { printSeconds } from "./progress.ts";

/** The size of a file is 32 bits in FAT: https://learn.microsoft.com/en-us/windows/win32/fileio/filesystem-functionality-comparison */
const largestOnFat = 2 ** 32 - 1;
/** Below that by what a careless copy adds, and the same everywhere in our pages. */
const volume = "3900MiB";

const words: Readonly<Record<Language, { oneFile: string; volumes: string; time: string }>> = {
  en: {
    oneFile: "carry: {size} must be free on the medium, as one file on FAT32 too",
    volumes:
      "carry: {size} must be free on the medium; FAT32 takes no file of 4 GiB and more: build with --volume-size {volume} for it",
    time: "time: {time} at {rate}/s, to fetch and again to copy",
  },
  zh: {
    oneFile: "携带：介质上需有 {size} 可用空间，FAT32 也可作为单个文件存放",
    volumes: "携带：介质上需有 {size} 可用空间；FAT32 不支持 4 GiB 及以上的文件，请加 --volume-size {volume} 构建",
    time: "用时：按 {rate}/s 计为 {time}，获取与拷贝各一次",
  },
};

/**
 * What a bundle asks of the stick and of the evening, before it is built.
 * @param size bytes of the bundle
 * @param rate bytes per second of the line or the stick, where somebody said it
 */
export function sizingLines(size: number, rate: number | undefined, language: Language): readonly string[] {
  const say = words[language];
  const carry = fill(size > largestOnFat ? say.volumes : say.oneFile, { size: printBytes(size), volume });
  if (rate === undefined) return [carry];
  return [carry, fill(say.time, { time: printSeconds(size / rate), rate: printBytes(rate) })];
}
