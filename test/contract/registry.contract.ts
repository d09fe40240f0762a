import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { copyGraph } from "../rig/copy-graph.ts";
import { readGraph } from "../../src/content/graph.ts";
import { readSmall } from "../../src/content/verified.ts";
import type { Repository } from "../../src/edge/registry/repository.ts";
import { collect } from "../../src/std/collect.ts";
import { aBlob, asContent, aStore, bytesOf, type Graph } from "../rig/builders/graph.ts";
import { aChart } from "../rig/builders/charts.ts";
import { flipped } from "../rig/builders/damage.ts";
import { anImage, anIndex } from "../rig/builders/images.ts";
import { aWasmPlugin } from "../rig/builders/plugins.ts";
import type { Client } from "../rig/client.ts";

/** A registry, and the product's client of it. */
export interface Subject extends AsyncDisposable {
  readonly client: Client;
}

/** What the pull half needs: this content, under these names, however it came there. */
export interface Seed {
  readonly repository: string;
  readonly tag: string;
  readonly graph: Graph;
}

export const seeds = {
  index: {
    repository: "library/nginx",
    tag: "1.25",
    graph: anIndex({
      "linux/amd64": anImage({ layers: [aBlob(200_000), aBlob("")] }),
      "linux/arm64": anImage({ architecture: "arm64" }),
    }),
  },
  docker: { repository: "higress/gateway", tag: "v2", graph: anIndex(undefined, { docker: true }) },
  chart: { repository: "charts/demo", tag: "1.0.0_build.1", graph: aChart() },
  plugin: { repository: "plugins/ai-proxy", tag: "2.0.0", graph: aWasmPlugin() },
} as const satisfies Record<string, Seed>;

const cases = Object.entries(seeds).map(([name, seed]) => ({ name, ...seed }));

/** Everything that a read-only registry must do for the client; the embedded server is held to it too. */
export function pullContract(name: string, start: () => Promise<Subject>): void {
  describe(`pulling from ${name}`, () => {
    let subject: Subject;
    const open = (repository: string): Repository => subject.client.registry.repository(repository);
    beforeAll(async () => void (subject = await start()));
    afterAll(() => subject[Symbol.asyncDispose]());

    it.each(cases)("resolves the tag of a $name to the exact bytes", async ({ repository, tag, graph }) => {
      const { descriptor, bytes } = await open(repository).resolve(tag);
      expect(descriptor).toEqual({ mediaType: graph.root.mediaType, digest: graph.root.digest, size: graph.root.size });
      expect(Buffer.from(bytes).equals(bytesOf(graph))).toBe(true);
    });

    it.each(cases)("says by HEAD what a $name is", async ({ repository, tag, graph: { root } }) => {
      const want = { mediaType: root.mediaType, digest: root.digest, size: root.size };
      expect(await open(repository).head(tag)).toEqual(want);
      expect(await open(repository).head(root.digest)).toEqual(want);
    });

    it.each(cases)("copies all of a $name", async ({ repository, graph }) => {
      const into = aStore();
      await copyGraph(open(repository), into, await readGraph(open(repository), graph.root, "source"));
      expect(into.digests).toEqual(new Set(graph.blobs.keys()));
    });

    it("has what is there, and has not what is not", async () => {
      const { repository, graph } = seeds.index;
      for (const node of graph.nodes) expect(await open(repository).has(node)).toBe(true);
      expect(await open(repository).has(aBlob("never pushed").root)).toBe(false);
      expect(await open(repository).has(anImage({ architecture: "s390x" }).root)).toBe(false);
      expect(await open(repository).head("no-such-tag")).toBeUndefined();
    });

    it("starts a blob anywhere", async () => {
      const { repository, graph } = seeds.index;
      const blob = graph.nodes.find((node) => node.size === 200_000)!;
      const tail = await collect(open(repository).fetch(blob, { offset: 150_000 }), 100_000);
      expect(tail.equals(bytesOf(graph, blob.digest).subarray(150_000))).toBe(true);
      expect(await collect(open(repository).fetch(blob, { offset: 200_000 }), 0)).toHaveLength(0);
    });

    it("lists tags", async () => {
      expect(await open(seeds.chart.repository).tags()).toEqual([seeds.chart.tag]);
    });

    it("finds no referrers where there are none", async () => {
      expect(await open(seeds.index.repository).referrers(seeds.index.graph.root.digest)).toEqual([]);
    });

    it("says what is not there", async () => {
      await expect(open(seeds.index.repository).resolve("no-such-tag")).rejects.toMatchObject({
        code: "REGISTRY_NOT_FOUND",
        facts: { action: "GET library/nginx:no-such-tag" },
      });
      await expect(open("no/such").tags()).rejects.toMatchObject({ code: "REGISTRY_NOT_FOUND" });
    });

    it("answers a ping", async () => {
      expect(await subject.client.registry.ping()).toMatchObject({ authenticated: 200, redirect: undefined });
    });
  });
}

/** What a writable registry must do besides. */
export function pushContract(name: string, start: () => Promise<Subject>): void {
  describe(`pushing to ${name}`, () => {
    let subject: Subject;
    const open = (repository: string): Repository => subject.client.registry.repository(repository);
    beforeAll(async () => void (subject = await start()));
    afterAll(() => subject[Symbol.asyncDispose]());

    it.each(cases)("stores a $name so that it comes back byte for byte", async ({ graph, tag }) => {
      const repository = open("stored/again");
      await seed(repository, { repository: "", tag, graph });
      const { descriptor, bytes } = await repository.resolve(tag);
      expect(descriptor.digest).toBe(graph.root.digest);
      expect(Buffer.from(bytes).equals(bytesOf(graph))).toBe(true);
      for (const node of graph.nodes) await readSmall(repository, node, "target");
    });

    it("takes what is there already as success", async () => {
      const { graph } = seeds.plugin;
      await seed(open("twice/pushed"), { repository: "", tag: "a", graph });
      await seed(open("twice/pushed"), { repository: "", tag: "a", graph });
      expect(await open("twice/pushed").tags()).toEqual(["a"]);
    });

    it("counts every byte once", async () => {
      const blob = aBlob(3_000_000);
      let counted = 0;
      await open("counted").push(blob.root, () => aStore(blob).fetch(blob.root), {
        onBytes: (bytes) => (counted += bytes),
      });
      expect(counted).toBe(3_000_000);
    });

    it("mounts a blob of another repository, and says when it cannot", async () => {
      const blob = aBlob("to be mounted");
      await open("mount/from").push(blob.root, () => aStore(blob).fetch(blob.root));
      expect(await open("mount/into").mount(blob.root, "mount/from")).toBe(true);
      expect(await open("mount/into").has(blob.root)).toBe(true);
      const other = aBlob("nowhere yet");
      expect(await open("mount/into").mount(other.root, "mount/from")).toBe(false);
      await open("mount/into").push(other.root, () => aStore(other).fetch(other.root));
      expect(await open("mount/into").has(other.root)).toBe(true);
    });

    it("stores nothing of a blob that is not what it is called", async () => {
      const blob = aBlob(100_000);
      const damaged = aStore(flipped(blob, blob.root.digest, 99_999));
      await expect(open("damaged").push(blob.root, () => damaged.fetch(blob.root))).rejects.toMatchObject({
        code: "CONTENT_MISMATCH",
        side: "bundle",
      });
      expect(await open("damaged").has(blob.root)).toBe(false);
    });

    it("refuses to tag bytes that are not the manifest", async () => {
      const { graph } = seeds.plugin;
      await expect(open("stored/again").tag(graph.root, Buffer.from("{}"), "wrong")).rejects.toMatchObject({
        code: "CONTENT_MISMATCH",
      });
    });

    it("finds referrers by the tag that stands for them where there is no API", async () => {
      const image = anImage();
      const signature = anImage({
        layers: [aBlob("signed")],
        subject: image,
        artifactType: "application/vnd.test.signature",
      });
      const list = anIndex({ "unknown/unknown": signature });
      const repository = open("with/referrers");
      await seed(repository, { repository: "", tag: "signed", graph: image });
      await seed(repository, { repository: "", tag: image.root.digest.replace(":", "-"), graph: list });
      const found = await repository.referrers(image.root.digest);
      expect(found.map((each) => each.digest)).toEqual([signature.root.digest]);
      expect(await repository.referrers(image.root.digest, "application/vnd.other")).toEqual([]);
    });
  });
}

/** Pushes a graph and tags its root. */
export async function seed(repository: Repository, { graph, tag }: Seed): Promise<void> {
  await copyGraph(aStore(graph), repository, asContent(graph));
  await repository.tag(graph.root, bytesOf(graph), tag);
}
