/** An unsigned LEB128 number, and where it ends: https://webassembly.github.io/spec/core/binary/values.html#integers */
function readNumber(bytes: Uint8Array, at: number): readonly [value: number, end: number] {
  let value = 0;
  for (let end = at, shift = 0; ; end += 1, shift += 7) {
    const byte = bytes[end] ?? 0;
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return [value, end + 1];
  }
}

function writeNumber(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest]);
    bytes.push((rest % 128) | 0x80);
  }
}

const exportSection = 7;
const headerSize = 8;

/**
 * The same module with one of its exports under another name. An Envoy without the changes of Higress knows nothing of
 * that ABI's name, which is all that differs where a plugin calls nothing of Higress' own.
 */
export function withExportRenamed(module: Uint8Array, from: string, to: string): Buffer {
  const parts: Uint8Array[] = [module.subarray(0, headerSize)];
  for (let at = headerSize; at < module.byteLength;) {
    const [size, body] = readNumber(module, at + 1);
    const section = Buffer.from(module.subarray(body, body + size));
    const made = module[at] === exportSection ? renamed(section, from, to) : section;
    parts.push(Buffer.from([module[at] ?? 0]), writeNumber(made.length), made);
    at = body + size;
  }
  return Buffer.concat(parts);
}

function renamed(section: Buffer, from: string, to: string): Buffer {
  const [count, first] = readNumber(section, 0);
  const parts: Uint8Array[] = [section.subarray(0, first)];
  for (let at = first, seen = 0; seen < count; seen += 1) {
    const [length, start] = readNumber(section, at);
    const name = section.toString("utf8", start, start + length);
    const [, end] = readNumber(section, start + length + 1);
    const bytes = Buffer.from(name === from ? to : name);
    parts.push(writeNumber(bytes.length), bytes, section.subarray(start + length, end));
    at = end;
  }
  return Buffer.concat(parts);
}
