import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openSource } from "../../src/edge/disk/open-source.ts";
import { readSmall } from "../../src/content/verified.ts";
import type { Bundle } from "../../src/content/open-bundle.ts";
import { openBundle } from "../../src/stages/bundle/open.ts";
import { openUnion } from "../../src/stages/bundle/delta.ts";
import type { CliResult } from "../rig/cli.ts";
import { aConnectedSide, type ConnectedSide } from "../rig/connected-side.ts";
import { aFaultServer } from "../rig/fault-server.ts";
import { aDockerRegistry, dockerRegistryUnavailable } from "../rig/registry-process.ts";
import { startCli } from "../rig/running-cli.ts";
import { sampleContent, writeSampleSite } from "../rig/sample-site.ts";

const unavailable = dockerRegistryUnavailable();
const because = unavailable === undefined ? "" : ` (not run: ${unavailable})`;
const said = ({ stdout, stderr }: CliResult): string => `${stdout}\n${stderr}`;
const host = "harbor.airgap.example";
const open = async (path: string): Promise<Bundle> => openBundle(await openSource(path));

interface Held {
  readonly base: string;
  readonly digests: readonly string[];
}

interface Bundles {
  readonly old: string;
  readonly full: string;
  readonly delta: string;
}

/** A bundle, and what follows it: images over another base. */
async function twoReleases(side: ConnectedSide): Promise<Bundles> {
  const old = await side.build("old.tar");
  await side.publish(sampleContent(21_000));
  const full = await side.build("full.tar");
  return { old, full, delta: await side.build("delta.tar", "--since", old) };
}

/** A registry of the far side with every request on record, and the site file that names it. */
async function aTarget(folder: string) {
  const registry = await aDockerRegistry();
  const seen = await aFaultServer({ upstream: registry.url });
  return {
    seen,
    site: await writeSampleSite(folder, { host, url: seen.origin }),
    async [Symbol.asyncDispose]() {
      await seen[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}

const digestOf = async (bundle: Bundle, blob: Bundle["document"]["blobs"][number]): Promise<string> =>
  `sha256:${createHash("sha256")
    .update(await readSmall(bundle, blob, "bundle"))
    .digest("hex")}`;

describe.skipIf(unavailable !== undefined)(`a delta${because}`, () => {
  it("and its base together are the full bundle: same items, same blobs, every byte", async () => {
    await using side = await aConnectedSide();
    const { old, full, delta } = await twoReleases(side);
    await using whole = await open(full);
    await using union = await openUnion([await open(old)], await open(delta));
    expect(union.document.items).toEqual(whole.document.items);
    expect(union.document.blobs).toEqual(whole.document.blobs);
    for (const blob of union.document.blobs) expect(await digestOf(union, blob)).toBe(blob.digest);
    await using alone = await open(delta);
    await using before = await open(old);
    const carried = alone.document.blobs.filter(({ digest }) => alone.hasBlob(digest));
    expect(carried.length).toBeGreaterThan(0);
    expect(carried.filter(({ digest }) => before.hasBlob(digest))).toEqual([]);
    const [listed, verified] = [await side.run("inspect", delta), await side.run("verify", delta)];
    expect(listed.stdout).toContain(`delta on: higress 2.2.4 (${before.id.slice(0, 12)})`);
    expect(verified, said(verified)).toMatchObject({ exitCode: 0 });
  });

  it("goes up where its base is, and sends only what it carries", async () => {
    await using side = await aConnectedSide();
    await using target = await aTarget(side.folder);
    const { old, delta } = await twoReleases(side);
    expect((await side.run("push", old, "--site", target.site)).exitCode).toBe(0);
    const before = target.seen.requests.length;
    const pushed = await side.run("push", delta, "--site", target.site);
    expect(pushed, said(pushed)).toMatchObject({ exitCode: 0 });
    const sent = target.seen.requests.slice(before).reduce((sum, { bytes }) => sum + bytes, 0);
    await using bundle = await open(delta);
    const carried = bundle.document.blobs.filter(({ digest }) => bundle.hasBlob(digest));
    // An index goes up once for each tag and alias.
    expect(sent).toBeLessThan(carried.reduce((sum, { size }) => sum + size, 0) * 1.2);
    for (const { reference, root } of bundle.document.items) {
      const [, repository, tag] = /^[^/]+\/(.+):([^:]+)$/.exec(reference) ?? [];
      const url = `${target.seen.origin}/v2/higress/${repository ?? ""}/manifests/${tag ?? ""}`;
      const answer = await fetch(url, { method: "HEAD", headers: { accept: root.mediaType } });
      expect(`${reference} ${answer.headers.get("docker-content-digest") ?? ""}`).toBe(`${reference} ${root.digest}`);
    }
  });

  it("on another base is refused before anything is sent, and goes up with the base beside it", async () => {
    await using side = await aConnectedSide();
    await using target = await aTarget(side.folder);
    const { old, delta } = await twoReleases(side);
    const refused = await side.run("push", delta, "--site", target.site);
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain("DELTA_BASE_MISSING");
    const changing = target.seen.requests.filter(({ method }) => method !== "GET" && method !== "HEAD");
    expect(changing).toEqual([]);
    const beside = await side.run("push", delta, "--site", target.site, "--base", delta);
    expect(beside.stderr).toContain("DELTA_BASE_MISSING");
    const pushed = await side.run("push", delta, "--site", target.site, "--base", old);
    expect(pushed, said(pushed)).toMatchObject({ exitCode: 0 });
  });

  it("is served whole with its base beside it, and not with holes", async () => {
    await using side = await aConnectedSide();
    const { old, full, delta } = await twoReleases(side);
    const holes = await side.run("serve", delta, "--port", "0");
    expect(holes).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("DELTA_BASE_MISSING") as string });

    const serving = startCli(["serve", delta, "--base", old, "--port", "0"], { cwd: side.folder });
    let origin = "";
    await serving.says(({ type, text, facts }) => {
      if (type === "note" && text === "listening") origin = (facts as { url: string }).url;
      return origin !== "";
    });
    await using whole = await open(full);
    for (const { reference, root } of whole.document.items) {
      const [, repository = "", tag = ""] = /^[^/]+\/(.+):([^:]+)$/.exec(reference) ?? [];
      const answer = await fetch(`${origin}/v2/${repository}/manifests/${tag}`, {
        headers: { accept: root.mediaType },
      });
      expect(`${reference} ${answer.headers.get("docker-content-digest") ?? ""}`).toBe(`${reference} ${root.digest}`);
    }
    const repository = /^[^/]+\/(.+):/.exec(whole.document.items[0]?.reference ?? "")?.[1] ?? "";
    await using before = await open(old);
    const inherited = whole.document.blobs.filter(({ digest }) => before.hasBlob(digest));
    const sizes = await Promise.all(
      inherited.map(async ({ digest }) => (await fetch(`${origin}/v2/${repository}/blobs/${digest}`)).arrayBuffer()),
    );
    expect(sizes.some(({ byteLength }, at) => byteLength === inherited[at]?.size)).toBe(true);
    serving.signal("SIGINT");
    expect(await serving.result).toMatchObject({ exitCode: 0 });
  });

  it("can be made since an inventory of the registry, and leaves out the same", async () => {
    await using side = await aConnectedSide();
    await using target = await aTarget(side.folder);
    const { old, delta } = await twoReleases(side);
    const inventory = async (): Promise<Held> => {
      const asked = await side.run("inventory", old, "--site", target.site, "--out", "inventory.json");
      expect(asked, said(asked)).toMatchObject({ exitCode: 0 });
      return JSON.parse(await readFile(join(side.folder, "inventory.json"), "utf8")) as Held;
    };
    expect((await inventory()).digests).toEqual([]);
    expect((await side.run("push", old, "--site", target.site)).exitCode).toBe(0);
    await using before = await open(old);
    const held = await inventory();
    expect(held.base).toBe(`${host}/higress`);
    expect(held.digests).toEqual(before.document.blobs.map(({ digest }) => digest).sort());
    const since = await side.build("since.tar", "--since", join(side.folder, "inventory.json"));
    await using one = await open(since);
    await using other = await open(delta);
    expect(one.document.delta).toEqual({ ...other.document.delta, base: held.base });
  });
});
