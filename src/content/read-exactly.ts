/**
 * Reads a stream of known length into one buffer. Chunks are copied as they come, since a source may reuse them, and
 * nothing is held twice, unlike with `collect`. Throws a `RangeError` when the length was not the one that was said.
 */
export async function readExactly(source: AsyncIterable<Uint8Array>, size: number): Promise<Buffer> {
  const whole = Buffer.allocUnsafeSlow(size);
  let at = 0;
  for await (const chunk of source) {
    if (at + chunk.byteLength > size) throw new RangeError(`More than ${size} bytes`);
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  if (at !== size) throw new RangeError(`${at} bytes, ${size} wanted`);
  return whole;
}
