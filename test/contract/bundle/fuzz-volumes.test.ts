import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { bundleOutput } from "../../../src/edge/disk/bundle-output.ts";
import { openSource } from "../../../src/edge/disk/open-source.ts";
import { volumesPathOf } from "../../../src/edge/disk/volumes-document.ts";
import { readText } from "../../../src/edge/files/read-text.ts";
import { openBundle } from "../../../src/stages/bundle/open.ts";
import { pack } from "../../../src/stages/bundle/pack.ts";
import { aPackInput } from "../../rig/bundle-input.ts";
import { allowedTime, cases, judged, run, type Verdict } from "../../rig/fuzzing.ts";
import { mutateJson } from "../../rig/mutate.ts";
import { aTempDirectory } from "../../rig/temp-directory.ts";

it(
  "whatever is changed in the document of volumes is refused or changes nothing",
  async () => {
    await using folder = await aTempDirectory();
    const base = join(folder.path, "v.tar");
    await pack(aPackInput(), bundleOutput(base, { volumeSize: 6000 }));
    const path = volumesPathOf(base);
    const sound = await readText(path, 1_000_000);
    const open = async (): Promise<string> => {
      await using source = await openSource(path);
      await using bundle = await openBundle(source);
      return JSON.stringify([bundle.id, source.blocks, source.size, source.bundle === bundle.id]);
    };
    const wanted = await open();
    const take = async (text: string | Buffer): Promise<Verdict> => {
      await writeFile(path, text);
      return judged(async (): Promise<Verdict> => {
        expect(await open()).toBe(wanted);
        return "equal";
      });
    };
    const bytes = Buffer.from(sound);
    for (let at = 0; at < bytes.byteLength; at += 1) {
      const flipped = Buffer.from(bytes);
      flipped.writeUInt8(flipped.readUInt8(at) ^ (1 << (at % 8)), at);
      expect(await take(flipped), `byte ${at}`).toBe("refused");
    }
    await run(Math.ceil(cases / 10), (random) => take(mutateJson(sound, random)));
    expect(await take(sound)).toBe("equal");
  },
  allowedTime,
);
