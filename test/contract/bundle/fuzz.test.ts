import { createHash } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { parseConfig, parseRelocationMap } from "../../../src/edge/files/config.ts";
import { Lock } from "../../../src/model/lock.ts";
import { ReleaseDocument, releaseEntry } from "../../../src/model/release.ts";
import { Site } from "../../../src/model/site.ts";
import { BundleSpec } from "../../../src/model/spec.ts";
import { parseInventory } from "../../../src/stages/bundle/delta.ts";
import { readJson } from "../../../src/stages/documents/read.ts";
import { parseReceipt } from "../../../src/stages/receipt/keep.ts";
import { parseRequest } from "../../../src/stages/repair/request.ts";
import { loadTyped } from "../../../src/std/yaml.ts";
import { allowedTime, cases, judged, run, type Verdict } from "../../rig/fuzzing.ts";
import { mutateJson, mutateText, pick, type Random } from "../../rig/mutate.ts";
import { covers, meaningOf, repacked } from "../../rig/readings.ts";
import { aReceipt } from "../../rig/receipt.ts";
import { editJson, entriesOf, tampered, type Tampering } from "../../rig/tampered-bundle.ts";
import { aTempDirectory } from "../../rig/temp-directory.ts";
import { aWholeBundle } from "../../rig/whole-bundle.ts";

const lock = "manifests/bundle.lock.json";
const sums = "SHA256SUMS";
const bundleJson = "bundle.json";

const rig = {
  bundle: Buffer.alloc(0) as Buffer,
  entries: new Map() as ReadonlyMap<string, Buffer>,
  meaning: "",
};
beforeAll(async () => {
  const folder = await aTempDirectory();
  rig.bundle = await aWholeBundle(folder.path);
  rig.entries = entriesOf(rig.bundle);
  rig.meaning = (await meaningOf(rig.bundle)) ?? "";
  expect(rig.meaning).not.toBe("");
  return () => folder[Symbol.asyncDispose]();
});

interface Changed {
  readonly document: string;
  readonly bytes: Buffer;
}

function changedDocument(random: Random): Changed {
  const documents = [...rig.entries.keys()].filter((name) => !name.startsWith("blobs/"));
  const document = pick(random, [...documents, releaseEntry, releaseEntry, bundleJson, lock, "Chart.yaml"]);
  if (document === "Chart.yaml") {
    const chart = documents.find((name) => name.startsWith("charts/")) ?? "";
    const archive = rig.entries.get(chart) ?? Buffer.alloc(0);
    return { document: chart, bytes: repacked(archive, "higress/Chart.yaml", (text) => mutateText(text, random)) };
  }
  const original = rig.entries.get(document) ?? Buffer.alloc(0);
  const isJson = /\.json$|oci-layout/.test(document);
  const isText = isJson || /\.yaml$|\.txt$|\.sh$|SUMS$/.test(document);
  const text = original.toString(isText ? "utf8" : "latin1");
  const changed = isJson ? mutateJson(text, random) : mutateText(text, random);
  return { document, bytes: Buffer.from(changed, isText ? "utf8" : "latin1") };
}

/** Refused, or nothing that anybody takes from the bundle is another. */
async function equalOrRefused(changes: Tampering): Promise<Verdict> {
  return judged(async () => {
    const meaning = await meaningOf(tampered(rig.bundle, changes));
    if (meaning === undefined) return "refused";
    // By line: the whole of both is too long to be read.
    const was = rig.meaning.split("\n");
    expect(meaning.split("\n").filter((line, at) => line !== was[at])).toEqual([]);
    return "equal";
  });
}

/** One changed, no sum over it: what a stick does, or somebody with an editor. */
const unsummed = ({ document, bytes }: Changed): Promise<Verdict> =>
  equalOrRefused({ [bundleJson]: rig.entries.get(bundleJson), [sums]: rig.entries.get(sums), [document]: bytes });

/** Every sum of the tar is right again; the documents are held against each other. */
const summed = ({ document, bytes }: Changed): Promise<Verdict> => equalOrRefused({ [document]: bytes });

const isName = (text: string): boolean => /^[A-Za-z0-9_][\w.+/@:-]*$/.test(text) && !/(^|\/)\.\.?(\/|$)/.test(text);

/** The lock says the same too: it is another bundle. It is refused, or read for what it says, and no name leads anywhere. */
async function another({ document, bytes }: Changed): Promise<Verdict> {
  const own = new Set([lock, bundleJson, "index.json", sums, "oci-layout"]);
  if (own.has(document)) return summed({ document, bytes });
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const relocked = editJson((content) => {
    for (const file of content["files"] as { name: string; size: number; sha256: string }[])
      if (file.name === document) Object.assign(file, { size: bytes.byteLength, sha256 });
  });
  return judged(async () => {
    const meaning = await meaningOf(tampered(rig.bundle, { [document]: bytes, [lock]: relocked }));
    if (meaning === undefined) return "refused";
    const { document: about } = JSON.parse(meaning) as {
      document: { name: string; version: string; items: Record<"name" | "reference", string>[] };
    };
    const names = [about.name, about.version, ...about.items.flatMap((item) => [item.name, item.reference])];
    if (document === releaseEntry) {
      const read = readJson(bytes, ReleaseDocument);
      const value = "value" in read ? read.value : undefined;
      expect(covers(value, JSON.parse(bytes.toString("utf8")))).toBe(true);
      // The release itself, not its plan: where there is one chart, the site's own name is planned.
      for (const { name, version, file, release: named, namespace, relocation } of value?.charts ?? [])
        names.push(name, version, file, named, namespace, relocation);
    }
    expect(names.filter((each) => !isName(each))).toEqual([]);
    return "faithful";
  });
}

const site = {
  apiVersion: "higress-airgap/v1",
  kind: "Site",
  registry: { host: "harbor.corp:8443", project: "a/b", credentials: { username: "u", passwordFile: "p" } },
  cluster: { namespace: "higress-system", release: "higress", kubeconfig: "k" },
  values: { a: { b: 1 } },
  plugins: { mode: "oci", enable: ["key-auth"] },
  registries: { "docker.io": { endpoints: [{ url: "https://mirror.corp" }] } },
};
const spec = {
  apiVersion: "higress-airgap/v1",
  kind: "BundleSpec",
  name: "higress",
  version: "2.2.4",
  charts: [{ name: "higress", version: "2.2.4", from: "https://higress.io/helm-charts", relocation: "r.yaml" }],
  images: ["docker.io/library/redis:7", { ref: "docker.io/library/busybox:1", role: "r", platforms: ["linux/amd64"] }],
  plugins: { list: [{ name: "key-auth", ref: "oci://r.example/plugins/key-auth:1.0.0" }] },
};
const digest = `sha256:${"a".repeat(64)}`;
const request = { requestVersion: 1, bundle: "a".repeat(64), name: "higress", version: "2.2.4", digests: [digest] };
const inventory = { inventoryVersion: 1, base: "higress 2.2.4 (aaaaaaaaaaaa)", digests: [digest] };
const receipt = aReceipt({
  phases: [{ phase: "push", state: "done", at: "2026-01-01T00:00:00Z" }],
  objects: [{ resource: "secrets", namespace: "n", name: "pull", uid: "1", did: "created" }],
});

interface Kind {
  readonly what: string;
  readonly sound: () => string;
  readonly read: (text: string) => unknown;
}

const yaml = (what: string, sound: () => string, read: Kind["read"]): Kind => ({ what, sound, read });
/** Documents outside a bundle, or read alone; each by the very function that commands read it with. */
const kinds: readonly Kind[] = [
  yaml(
    "site",
    () => JSON.stringify(site, undefined, 2),
    (text) => parseConfig(text, "f", Site),
  ),
  yaml(
    "spec",
    () => JSON.stringify(spec, undefined, 2),
    (text) => parseConfig(text, "f", BundleSpec),
  ),
  yaml(
    "lock",
    () => entry(lock),
    (text) => parseConfig(text, "f", Lock),
  ),
  yaml(
    "relocation map",
    () => entry("manifests/relocation/higress.yaml"),
    (text) => parseRelocationMap(text, "f"),
  ),
  { what: "request", sound: () => JSON.stringify(request), read: (text) => parseRequest(text, "f") },
  { what: "inventory", sound: () => JSON.stringify(inventory), read: (text) => parseInventory(text, "f") },
  { what: "receipt", sound: () => JSON.stringify(receipt), read: (text) => parseReceipt(text, "f") },
];

const entry = (name: string): string => (rig.entries.get(name) ?? Buffer.alloc(0)).toString("utf8");

function faithfulOrRefused({ sound, read }: Kind, random: Random): Promise<Verdict> {
  const text = sound();
  const changed = text.startsWith("{") ? mutateJson(text, random) : mutateText(text, random);
  return judged(() => {
    const value = read(changed);
    // A second reader of the same text, who knows no schema: what we take it for is what it says.
    if (!covers(value, loadTyped(changed)[0])) throw new Error(`read as ${JSON.stringify(value)}: ${changed}`);
    return "faithful";
  });
}

describe("whatever is changed in one document", () => {
  it.each([
    ["with the sums as they were", unsummed, 0.3],
    ["with every sum of the tar right", summed, 0.3],
    ["with the lock right too", another, 0.2],
  ] as const)(
    "of a bundle, %s, is refused or changes nothing that it does not say",
    async (_how, take, share) => {
      const count = Math.ceil(cases * share);
      const verdicts = await run(count, (random) => take(changedDocument(random)));
      // All of one verdict would mean that the changes are too coarse, or that nothing is looked at.
      if (count > 100) expect(verdicts.refused).toBeGreaterThan(count / 2);
      if (count > 100 && take !== unsummed) expect(verdicts.equal + verdicts.faithful).toBeGreaterThan(0);
    },
    allowedTime,
  );

  it.each(kinds)(
    "of a $what is refused or read for what it says",
    async (kind) => {
      expect(covers(kind.read(kind.sound()), loadTyped(kind.sound())[0])).toBe(true);
      const count = Math.ceil((cases * 0.25) / kinds.length);
      const verdicts = await run(count, (random) => faithfulOrRefused(kind, random));
      if (count > 50) expect(Math.min(verdicts.refused, verdicts.faithful)).toBeGreaterThan(0);
    },
    allowedTime,
  );
});
