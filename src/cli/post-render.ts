import type { Readable, Writable } from "node:stream";
import { readText } from "../edge/files/read-text.ts";
import type { Patch } from "../model/relocation.ts";
import { patchManifest } from "../stages/relocate/relocate.ts";
import { collect } from "../std/collect.ts";
import { ExitCode } from "./exit-code.ts";

/** What helm renders at most: a release is stored in a Secret of 1 MiB, packed. */
const maxManifest = 256 * 1024 ** 2;

/** Manifests on stdin, the same with its patches on stdout: helm calls this after rendering. */
export async function postRender(
  file: string,
  { stdin, stdout }: { readonly stdin: Readable; readonly stdout: Writable },
): Promise<ExitCode> {
  const patches = JSON.parse(await readText(file, maxManifest)) as readonly Patch[];
  const manifest = Buffer.from(await collect(stdin as AsyncIterable<Uint8Array>, maxManifest)).toString("utf8");
  await new Promise<void>((done, failed) => {
    stdout.write(patchManifest(manifest, patches), (error) => {
      if (error) failed(error);
      else done();
    });
  });
  return ExitCode.done;
}
