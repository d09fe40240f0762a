/** A stretch of an ELF file that the kernel maps: addresses, not offsets. */
export interface LoadSegment {
  readonly start: number;
  readonly end: number;
}

const load = 1;

/** The PT_LOAD segments of a 64-bit little-endian ELF file, by address: what `readelf -lW` shows. */
export function loadSegments(elf: Buffer): readonly LoadSegment[] {
  if (elf.readUInt32BE(0) !== 0x7f454c46) throw new Error("not an ELF file");
  const table = Number(elf.readBigUInt64LE(0x20));
  const size = elf.readUInt16LE(0x36);
  return Array.from({ length: elf.readUInt16LE(0x38) }, (_, index) => table + index * size)
    .filter((at) => elf.readUInt32LE(at) === load)
    .map((at) => {
      const start = Number(elf.readBigUInt64LE(at + 0x10));
      return { start, end: start + Number(elf.readBigUInt64LE(at + 0x28)) };
    })
    .sort((a, b) => a.start - b.start);
}

/** Segments that meet in one page: the later one would take the earlier one's permissions away. */
export function sharedPages(segments: readonly LoadSegment[], page: number): readonly string[] {
  return segments.slice(1).flatMap(({ start }, at) => {
    const before = segments[at]?.end ?? 0;
    const shared = before > 0 && Math.floor((before - 1) / page) >= Math.floor(start / page);
    return shared ? [`${(before - 1).toString(16)} ${start.toString(16)}`] : [];
  });
}
