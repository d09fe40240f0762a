import { createHash } from "node:crypto";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openSource } from "../../src/edge/disk/open-source.ts";
import { blobPrefix } from "../../src/model/bundle.ts";
import { MediaType } from "../../src/model/media-type.ts";
import { openBundle } from "../../src/stages/bundle/open.ts";
import { aBlob, aParent } from "../rig/builders/graph.ts";
import type { CliResult } from "../rig/cli.ts";
import { aConnectedSide } from "../rig/connected-side.ts";
import { dockerRegistryUnavailable } from "../rig/registry-process.ts";
import { sampleContent } from "../rig/sample-site.ts";
import { tools } from "../rig/tools.ts";

const unavailable = dockerRegistryUnavailable();
const because = unavailable === undefined ? "" : ` (not run: ${unavailable})`;
const said = ({ stdout, stderr }: CliResult): string => `${stdout}\n${stderr}`;
/** The same names, another base layer below every image. */
const moved = sampleContent(21_000);

async function sha256(path: string): Promise<string> {
  return createHash("sha256")
    .update(await readFile(path))
    .digest("hex");
}

async function blobsOf(path: string): Promise<ReadonlySet<string>> {
  await using bundle = await openBundle(await openSource(path));
  return new Set(bundle.document.blobs.map(({ digest }) => digest));
}

/** Flips the first byte of `count` blobs from `from` on in a copy of the bundle. */
async function damage(path: string, copy: string, from: number, count: number): Promise<string> {
  const bytes = await readFile(path);
  await using bundle = await openBundle(await openSource(path));
  const places = [...bundle.entries].filter(([name]) => name.startsWith(blobPrefix)).slice(from, from + count);
  for (const [, { offset }] of places) bytes.writeUInt8(bytes.readUInt8(offset) ^ 1, offset);
  await writeFile(copy, bytes);
  return copy;
}

describe.skipIf(unavailable !== undefined)(`build again${because}`, () => {
  it("from a lock gives the same file, without asking for any tag, after all tags have moved", async () => {
    await using side = await aConnectedSide();
    const first = await side.build("first.tar");
    await side.publish(moved);
    const before = side.registry.requests.length;
    const again = await side.build("again.tar", "--lock", `${first}.lock.json`, "--concurrency", "2");
    const asked = side.registry.requests.slice(before);
    expect(await sha256(again)).toBe(await sha256(first));
    expect(await readFile(`${again}.lock.json`, "utf8")).toBe(await readFile(`${first}.lock.json`, "utf8"));
    expect(asked.filter(({ step }) => step === "manifest.get").length).toBeGreaterThan(10);
    expect(asked.map(({ path }) => path).filter((path) => /\/tags\/|\/manifests\/(?!sha256:)/.test(path))).toEqual([]);
    // Without the lock it is another one: the tags have really moved.
    expect(await sha256(await side.build("newer.tar"))).not.toBe(await sha256(first));
  });

  it("from a lock takes a chart out of a registry by its digest, too", async () => {
    await using side = await aConnectedSide();
    const archive = await readFile(join(side.folder, "higress-2.2.4.tgz"));
    const chart = (bytes: Uint8Array) => {
      const parts = [aBlob("{}", MediaType.helmConfig), aBlob(bytes, MediaType.helmChart)];
      return aParent(MediaType.ociManifest, parts, (config, ...layers) => ({ config, layers }));
    };
    const reference = "registry.higress.example/charts/higress:2.2.4";
    await side.publish({ [reference]: chart(archive) });
    const spec = join(side.folder, "bundle.yaml");
    const text = (await readFile(spec, "utf8")).replace(
      /"from": "[^"]*"/,
      '"from": "oci://registry.higress.example/charts"',
    );
    await writeFile(spec, text);
    const first = await side.build("first.tar");
    await side.publish({ [reference]: chart(Buffer.concat([archive, Buffer.alloc(512)])) });
    const before = side.registry.requests.length;
    const again = await side.build("again.tar", "--lock", `${first}.lock.json`);
    const asked = side.registry.requests.slice(before).map(({ path }) => path);
    expect(await sha256(again)).toBe(await sha256(first));
    expect(asked.some((path) => path.includes("/charts/higress/blobs/"))).toBe(true);
    expect(asked.filter((path) => /\/manifests\/(?!sha256:)/.test(path))).toEqual([]);
  });

  it("from a lock refuses another spec, and another chart under the same name", async () => {
    await using side = await aConnectedSide();
    const first = await side.build("first.tar");
    const spec = join(side.folder, "bundle.yaml");
    const text = await readFile(spec, "utf8");
    await writeFile(spec, `${text}\n# another\n`);
    await expect(side.build("again.tar", "--lock", `${first}.lock.json`)).rejects.toThrow("manifests/bundle.yaml");
    await writeFile(spec, text);
    const chart = join(side.folder, "higress-2.2.4.tgz");
    await writeFile(chart, Buffer.concat([await readFile(chart), Buffer.alloc(512)]));
    await expect(side.build("again.tar", "--lock", `${first}.lock.json`)).rejects.toThrow("charts/higress-2.2.4.tgz");
    expect(await readdir(side.folder)).not.toContain("again.tar");
  });

  it("with an earlier bundle fetches only what that one lacks, and gives the same file", async () => {
    await using side = await aConnectedSide();
    const earlier = await side.build("earlier.tar");
    await side.publish(moved);
    const plain = await side.build("plain.tar");
    const before = side.registry.requests.length;
    const reused = await side.build("reused.tar", "--reuse", earlier);
    const asked = side.registry.requests.slice(before).map(({ step, path }) => [step, path.split("/").at(-1)] as const);
    const fetched = new Set(asked.filter(([step]) => step === "blob.get").map(([, digest]) => digest));
    const [old, all] = [await blobsOf(earlier), await blobsOf(reused)];
    expect(await sha256(reused)).toBe(await sha256(plain));
    // The base for each platform, and the config of seven images for two platforms that names it.
    expect(fetched.size).toBe(2 + 7 * 2);
    expect([...fetched].every((digest) => all.has(digest ?? ""))).toBe(true);
    expect(asked.filter(([, digest]) => old.has(digest ?? ""))).toEqual([]);
  });

  it("with an earlier bundle that is damaged stops, and names that file", async () => {
    await using side = await aConnectedSide();
    const earlier = await side.build("earlier.tar");
    const count = (await blobsOf(earlier)).size;
    const damaged = await damage(earlier, join(side.folder, "damaged.tar"), count - 1, 1);
    await expect(side.build("reused.tar", "--reuse", damaged)).rejects.toThrow("damaged.tar");
    expect(await readdir(side.folder)).not.toContain("reused.tar");
  });

  it("as a dry run lists the items and the size to the byte, and writes nothing", async () => {
    await using side = await aConnectedSide();
    const there = await readdir(side.folder);
    const { helm } = await tools("3.17");
    const listed = await side.run("build", "bundle.yaml", "--helm", helm, "--dry-run", "--rate", "10KiB/s");
    expect(listed, said(listed)).toMatchObject({ exitCode: 0 });
    expect(await readdir(side.folder)).toEqual(there);
    const { size } = await stat(await side.build("real.tar"));
    expect(listed.stdout).toContain(`${size} B`);
    expect(listed.stdout).toContain("as one file on FAT32 too");
    expect(listed.stdout).toMatch(new RegExp(`^time: ${Math.round(size / 10_240)}s \\(10.0 KiB/s\\), to fetch`, "m"));
    const adds = [...listed.stdout.matchAll(/^linux\/(?:amd64|arm64) adds: (.+)$/gm)];
    expect(adds.map(([, bytes]) => bytes)).toHaveLength(2);
    for (const reference of Object.keys(moved)) expect(listed.stdout).toContain(reference);
    const json = await side.run("build", "bundle.yaml", "--helm", helm, "--dry-run", "--json");
    const document = JSON.parse(json.stdout) as {
      size: number;
      missing: string[];
      platforms: { own: object; shared: number };
    };
    // A plugin that was repacked is carried; what a host must bring itself is not.
    expect(document.missing.join("\n")).toMatch(/helm-linux-arm64/);
    expect(document.missing.join("\n")).not.toContain("waf");
    expect(document).toMatchObject({ size, largestFile: size, volumes: 1, fat32: true });
    const own = Object.values(document.platforms.own) as number[];
    expect(own.every((bytes) => bytes > 1000)).toBe(true);
    expect(own.reduce((sum, bytes) => sum + bytes, document.platforms.shared)).toBe(size);
  });
});

describe.skipIf(unavailable !== undefined)(`repair${because}`, () => {
  it("makes the very file again from a copy with another damage, and leaves the damaged one as it is", async () => {
    await using side = await aConnectedSide();
    const sound = await side.build("sound.tar");
    const damaged = await damage(sound, join(side.folder, "damaged.tar"), 3, 2);
    const copy = await damage(sound, join(side.folder, "copy.tar"), 8, 2);
    const [was, had] = [await sha256(damaged), await stat(damaged)];
    expect((await side.run("verify", damaged)).exitCode).toBe(3);
    const repaired = await side.run("repair", damaged, "--from", copy, "--out", "good.tar");
    expect(repaired, said(repaired)).toMatchObject({ exitCode: 0 });
    expect(await sha256(join(side.folder, "good.tar"))).toBe(await sha256(sound));
    expect(await sha256(damaged)).toBe(was);
    expect((await stat(damaged)).mtimeMs).toBe(had.mtimeMs);
    expect((await side.run("verify", "good.tar")).exitCode).toBe(0);
  });

  it("makes nothing when the copy has the same damage, and says which blob is missing", async () => {
    await using side = await aConnectedSide();
    const damaged = await damage(await side.build("sound.tar"), join(side.folder, "damaged.tar"), 3, 2);
    const repaired = await side.run("repair", damaged, "--from", damaged, "--out", "good.tar");
    expect(repaired.exitCode).toBe(1);
    expect(repaired.stderr).toContain("CONTENT_MISSING");
    expect(await readdir(side.folder)).not.toContain("good.tar");
  });

  it("takes blobs from a registry that holds the items under their paths", async () => {
    await using side = await aConnectedSide();
    const sound = await side.build("sound.tar");
    const count = (await blobsOf(sound)).size;
    const damaged = await damage(sound, join(side.folder, "damaged.tar"), count - 1, 1);
    const repaired = await side.run("repair", damaged, "--from", side.registry.origin, "--out", "good.tar");
    expect(repaired, said(repaired)).toMatchObject({ exitCode: 0 });
    expect(await sha256(join(side.folder, "good.tar"))).toBe(await sha256(sound));
  });

  it("by a request that is carried back: the patch holds what was damaged, and makes the file whole", async () => {
    await using side = await aConnectedSide();
    const sound = await side.build("sound.tar");
    const damaged = await damage(sound, join(side.folder, "damaged.tar"), 3, 2);
    const asked = await side.run("repair", damaged, "--request", "request.json");
    expect(asked, said(asked)).toMatchObject({ exitCode: 3 });
    const request = JSON.parse(await readFile(join(side.folder, "request.json"), "utf8")) as { digests: string[] };
    expect(request.digests).toHaveLength(2);
    await side.publish(moved);
    const only = ["--only", join(side.folder, "request.json"), "--lock", `${sound}.lock.json`];
    const patch = await side.build("patch.tar", ...only);
    await using opened = await openBundle(await openSource(patch));
    expect([...opened.entries.keys()].filter((name) => name.startsWith(blobPrefix))).toHaveLength(2);
    const repaired = await side.run("repair", damaged, "--from", patch, "--out", "good.tar");
    expect(repaired, said(repaired)).toMatchObject({ exitCode: 0 });
    expect(await sha256(join(side.folder, "good.tar"))).toBe(await sha256(sound));
    expect((await side.run("repair", "good.tar", "--request", "none.json")).exitCode).toBe(0);
    expect(await readdir(side.folder)).not.toContain("none.json");
  });
});
