import { createHash } from "node:crypto";
import { bundleOutput } from "../../src/edge/disk/bundle-output.ts";
import { hashRanges } from "../../src/edge/disk/hash-ranges.ts";
import { openSource } from "../../src/edge/disk/open-source.ts";
import { openBundle } from "../../src/stages/bundle/open.ts";
import { pack } from "../../src/stages/bundle/pack.ts";
import type { LargeFile } from "../../src/stages/bundle/ports.ts";
import { verifyBundle } from "../../src/stages/verify/verify.ts";
import { aPackInput } from "./bundle-input.ts";

/**
 * A program of its own, to be killed or measured: packs files of so many MiB, saying a line per MiB that went by, then
 * verifies what it packed. Arguments: path, MiB per file, volume size in MiB (0: one file), after how many lines it stands
 * still until it is killed.
 */
const [path = "", mebibytes = "1", volumes = "0", last = "Infinity"] = process.argv.slice(2);
const MiB = 1024 ** 2;

let lines = 0;
function say(line: string): void {
  process.stdout.write(`${line}\n`);
  lines += 1;
}

/** Its content is one chunk over and over: a source that takes no memory. */
function aFile(name: string, chunks: number): LargeFile {
  const chunk = Buffer.alloc(64 * 1024, name);
  const size = chunks * chunk.byteLength;
  const hash = createHash("sha256");
  for (let count = 0; count < chunks; count += 1) hash.update(chunk);
  return {
    name,
    size,
    sha256: hash.digest("hex"),
    async *open(offset) {
      for (let at = offset; at < size;) {
        const part = chunk.subarray(at % chunk.byteLength);
        if (at % MiB === 0) say(`${name} ${at}`);
        if (lines >= Number(last)) await new Promise(() => setInterval(() => undefined, 60_000));
        // As from a socket: the loop turns between chunks.
        await new Promise((resolve) => setImmediate(resolve));
        yield part;
        at += part.byteLength;
      }
    },
  };
}

const largeFiles = Array.from({ length: 6 }, (_, index) => aFile(`bin/tool-${index}`, Number(mebibytes) * 16));
const volumeSize = volumes === "0" ? undefined : Number(volumes) * MiB;
const result = await pack(aPackInput({ largeFiles }), bundleOutput(path, { volumeSize }));
const source = await openSource(path);
const bundle = await openBundle(source);
const { findings } = await verifyBundle(bundle, { hashRanges: (ranges) => hashRanges(source, ranges) });
const { maxRSS } = process.resourceUsage();
const facts = { findings: findings.length, resumed: result.bytesResumed, size: result.size, maxRSS };
process.stdout.write(`${JSON.stringify(facts)}\n`);
await bundle[Symbol.asyncDispose]();
