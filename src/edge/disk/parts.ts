/** A stretch of an address space that one file holds. */
export interface Part {
  readonly path: string;
  readonly offset: number;
  readonly size: number;
}

export interface Piece<P extends Part> {
  readonly part: P;
  /** Within the part. */
  readonly at: number;
  readonly length: number;
}

/** Cuts a range where parts end. Parts follow each other without gaps and are all of one size but for the last. */
export function piecesOf<P extends Part>(parts: readonly P[], offset: number, length: number): readonly Piece<P>[] {
  const pieces: Piece<P>[] = [];
  const end = offset + length;
  for (let at = offset; at < end;) {
    const part = partHolding(parts, at);
    if (part === undefined) break;
    const piece = Math.min(end, part.offset + part.size) - at;
    pieces.push({ part, at: at - part.offset, length: piece });
    at += piece;
  }
  return pieces;
}

export function partHolding<P extends Part>(parts: readonly P[], offset: number): P | undefined {
  let low = 0;
  let high = parts.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const part = parts[middle];
    if (part === undefined) return undefined;
    if (offset < part.offset) high = middle;
    else if (offset >= part.offset + part.size) low = middle + 1;
    else return part;
  }
  return undefined;
}

/** Parts of `volumeSize` bytes, the last one shorter: `NAME.001`, `NAME.002`; or one part that bears the name itself. */
export function layParts(path: string, size: number, volumeSize?: number): readonly Part[] {
  if (volumeSize === undefined) return [{ path, offset: 0, size }];
  return Array.from({ length: Math.ceil(size / volumeSize) }, (_, index) => ({
    path: `${path}.${String(index + 1).padStart(3, "0")}`,
    offset: index * volumeSize,
    size: Math.min(volumeSize, size - index * volumeSize),
  }));
}
