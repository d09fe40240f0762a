/** Joins a stream that is known to be small; throws a `RangeError` once more than `limit` bytes have come. */
export async function collect(source: AsyncIterable<Uint8Array>, limit: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of source) {
    size += chunk.byteLength;
    if (size > limit) throw new RangeError(`More than ${limit} bytes`);
    // A source may lend its buffer: what was yielded is valid only until the next chunk is asked for.
    chunks.push(Uint8Array.from(chunk));
  }
  return Buffer.concat(chunks, size);
}
