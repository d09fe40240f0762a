import { largestOnFat } from "../model/bundle.ts";
import type { LockItem } from "../model/lock.ts";
import { printBytes } from "../std/bytes.ts";
import { fill } from "./fill.ts";
import { catalogueOf, type Language, type Shown } from "./language.ts";
import { printSeconds } from "./progress.ts";
import { leftOut, shortened, table } from "./width.ts";

/** Below that by what a careless copy adds, and the same everywhere in our pages. */
const volume = "3900MiB";
/** Bytes a second of an office line, of a slow stick or a good line, of a good stick. */
const usualRates = [1, 10, 100].map((mebibytes) => mebibytes * 1024 ** 2);

const words: Readonly<
  Record<
    Language,
    Readonly<
      Record<
        | "oneFile"
        | "split"
        | "volumes"
        | "largeVolumes"
        | "time"
        | "sending"
        | "file"
        | "own"
        | "shared"
        | "missing"
        | "known",
        string
      >
    >
  >
> = {
  en: {
    oneFile: "carry: {size} must be free on the medium, as one file on FAT32 too",
    split:
      "carry: {size} must be free on the medium; FAT32 takes no file of 4 GiB and more: build with --volume-size {volume} for it",
    volumes: "carry: {size} must be free on the medium, as volumes on FAT32 too: {count} of {each} at most",
    largeVolumes:
      "carry: {size} must be free on the medium; volumes of {each} are too large for FAT32: --volume-size {volume}",
    time: "time: {times}, to fetch and again to copy",
    sending: "time: {times}, fetched and sent at once",
    file: "here: {size} for the bundle that install takes afterwards; no layer is kept",
    own: "{platform} adds",
    shared: "for every platform",
    missing: "missing inside",
    known: "nothing that a build can know",
  },
  zh: {
    oneFile: "携带：介质上需有 {size} 可用空间，FAT32 也可作为单个文件存放",
    split: "携带：介质上需有 {size} 可用空间；FAT32 不支持 4 GiB 及以上的文件，请加 --volume-size {volume} 构建",
    volumes: "携带：介质上需有 {size} 可用空间，分卷后 FAT32 也可存放：共 {count} 卷，每卷至多 {each}",
    largeVolumes: "携带：介质上需有 {size} 可用空间；每卷 {each} 对 FAT32 过大，请用 --volume-size {volume}",
    time: "用时：{times}，获取与拷贝各一次",
    sending: "用时：{times}，边获取边推送",
    file: "本机：{size}，为之后 install 所用的离线包；不保存镜像层",
    own: "{platform} 增加",
    shared: "各平台共用",
    missing: "内网将缺少",
    known: "构建时未发现缺少的内容",
  },
};

/** A bundle before it is built: what a dry run found out. */
export interface Sizing {
  readonly size: number;
  /** Of `--volume-size`. */
  readonly volumeSize?: number | undefined;
  readonly platforms: { readonly own: ReadonlyMap<string, number>; readonly shared: number };
  /** Bytes per second of the line or the stick, where somebody said it. */
  readonly rate?: number | undefined;
  /** What the findings say. */
  readonly missing: readonly string[];
}

/** What a bundle asks of the stick and of the evening, before it is built. */
export function sizingLines(sizing: Sizing, language: Language): readonly string[] {
  const say = words[language];
  const { colon, comma } = catalogueOf(language).punctuation;
  const { own, shared } = sizing.platforms;
  const adds = [...own].map(([platform, bytes]) => [fill(say.own, { platform }), bytes] as const);
  return [
    // Of one platform there is nothing to leave out.
    ...(own.size < 2 ? [] : [...adds, [say.shared, shared] as const]).map(
      ([name, bytes]) => `${name}${colon}${printBytes(bytes)}`,
    ),
    carryLine(sizing, language),
    fill(say.time, { times: times(sizing).join(comma) }),
    ...missingLines(sizing, language),
  ];
}

/** Of a mirror, which needs no medium: `size` is what will be sent, `file` what is written here. */
export function sendingLines(
  sizing: Pick<Sizing, "size" | "rate" | "missing"> & { readonly file: number },
  language: Language,
): readonly string[] {
  const say = words[language];
  const { comma } = catalogueOf(language).punctuation;
  return [
    fill(say.sending, { times: times(sizing).join(comma) }),
    fill(say.file, { size: printBytes(sizing.file) }),
    ...missingLines(sizing, language),
  ];
}

function missingLines({ missing }: Pick<Sizing, "missing">, language: Language): readonly string[] {
  const { known, missing: inside } = words[language];
  const { colon } = catalogueOf(language).punctuation;
  return (missing.length === 0 ? [known] : missing).map((text) => `${inside}${colon}${text}`);
}

/** The same for machines; seconds for each of the rates, in bytes. */
export function sizingDocument(sizing: Sizing) {
  const { size, volumeSize, platforms, missing } = sizing;
  return {
    size,
    largestFile: Math.min(size, volumeSize ?? size),
    volumes: volumesOf(sizing),
    fat32: isForFat(sizing),
    platforms: { own: Object.fromEntries(platforms.own), shared: platforms.shared },
    seconds: Object.fromEntries(ratesOf(sizing).map((rate) => [rate, Math.ceil(size / rate)])),
    missing: [...missing],
  };
}

function carryLine(sizing: Sizing, language: Language): string {
  const say = words[language];
  const { size, volumeSize } = sizing;
  const [whole, cut] = isForFat(sizing) ? [say.oneFile, say.volumes] : [say.split, say.largeVolumes];
  const facts = { size: printBytes(size), volume, each: printBytes(volumeSize ?? size), count: volumesOf(sizing) };
  return fill(volumeSize === undefined ? whole : cut, facts);
}

function isForFat({ size, volumeSize = size }: Sizing): boolean {
  return Math.min(size, volumeSize) <= largestOnFat;
}

function volumesOf({ size, volumeSize = size }: Sizing): number {
  return Math.ceil(size / volumeSize);
}

function ratesOf({ rate }: Pick<Sizing, "rate">): readonly number[] {
  return rate === undefined ? usualRates : [rate];
}

function times(sizing: Pick<Sizing, "size" | "rate">): readonly string[] {
  return ratesOf(sizing).map((rate) => `${printSeconds(sizing.size / rate)} (${printBytes(rate)}/s)`);
}

/** Every item of a bundle; JSON has the digests where the terminal has no room. */
export function itemTable(items: readonly LockItem[], { language, columns }: Shown): string {
  const { words: names, kinds } = catalogueOf(language);
  const header = [names.kind, shortened(names.reference), names.size, leftOut(names.platforms), leftOut(names.digest)];
  const rows = items.map((item) => [
    kinds[item.kind],
    item.reference,
    printBytes(item.bytes),
    item.platforms.join(" "),
    item.root.digest.slice(0, 19),
  ]);
  return table(header, rows, columns);
}
