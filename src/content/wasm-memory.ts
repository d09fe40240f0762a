import { Cursor, ModuleError, outline, readLimits, type Limits } from "./wasm.ts";

export const pageSize = 64 * 1024;
const memorySection = 5;

/**
 * The module with its memory held to `bytes`: the declared maximum becomes the smaller of the two, so that
 * `memory.grow` answers -1 at the bound, exactly as on a host that is out of memory. V8's heap limits do not count wasm
 * memory, so this is the only bound that holds. Always a copy.
 * @throws ModuleError when the module asks for more than that to begin with, or has several memories
 */
export function capMemory(module: Uint8Array, bytes: number): Uint8Array<ArrayBuffer> {
  const section = outline(module).sections.find(({ id }) => id === memorySection);
  if (section === undefined) return Uint8Array.from(module);
  const cursor = new Cursor(module, section.body, section.end);
  const count = cursor.unsigned();
  if (count !== 1) throw new ModuleError(`${count} memories`);
  const limits = readLimits(cursor);
  const pages = Math.floor(bytes / pageSize);
  if (limits.minimum > pages) throw new ModuleError(`asks for ${limits.minimum} pages of memory, ${pages} allowed`);
  const body = [1, ...printLimits(limits, Math.min(limits.maximum ?? pages, pages))];
  return joined(
    module.subarray(0, section.start),
    Uint8Array.from([memorySection, ...leb(body.length), ...body]),
    module.subarray(section.end),
  );
}

function printLimits({ flags, minimum }: Limits, maximum: number): readonly number[] {
  return [flags | 1, ...leb(minimum), ...leb(maximum)];
}

function leb(value: number): readonly number[] {
  return value < 0x80 ? [value] : [(value % 0x80) + 0x80, ...leb(Math.floor(value / 0x80))];
}

function joined(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}
