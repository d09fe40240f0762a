import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pack } from "../../src/stages/bundle/pack.ts";
import { aPackInput, type InputOptions } from "./bundle-input.ts";
import { MemoryOutput } from "./bundle-memory.ts";

/** A small bundle as a file, to be named on a command line. */
export async function aBundleFile(folder: string, name = "higress.tar", options: InputOptions = {}): Promise<string> {
  const output = new MemoryOutput();
  await pack(aPackInput(options), output);
  await writeFile(join(folder, name), output.bytes);
  return join(folder, name);
}
