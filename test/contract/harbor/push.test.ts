import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { isFailure } from "../../../src/model/failure.ts";
import { mapItems } from "../../../src/stages/relocate/mapping.ts";
import type { Mapped } from "../../../src/model/relocation.ts";
import { pushItems, type PushOptions, type PushResult } from "../../../src/stages/push/push.ts";
import { anImage, anIndex, aWasmPlugin, type Seed } from "../../rig/graph.ts";
import { aChart } from "../../rig/builders/charts.ts";
import { apiOf, registryOf } from "../../rig/harbor/access.ts";
import { aHarbor, type Harbor } from "../../rig/harbor/harbor.ts";
import type { Identity } from "../../rig/harbor/state.ts";
import { aLockItem } from "../../rig/lock-item.ts";
import { aSource } from "../../unit/stages/push/memory-target.ts";

const pusher: Identity = {
  name: "robot$p+push",
  secret: "planted-secret-of-the-pusher",
  projects: { p: ["pull", "push"], q: ["pull", "push"] },
};
// Random, so that gzip leaves something: every unique byte has to be counted.
const base = { "lib/base": randomBytes(700_000) };
const gateway = anIndex([
  anImage({ layers: [base, { app: randomBytes(100_000) }] }),
  anImage({ layers: [base, { app: randomBytes(90_000) }], architecture: "arm64" }),
]);
const pilot = anImage({ layers: [base, { app: randomBytes(80_000) }] });
const seeds = [gateway, pilot, aWasmPlugin(), aChart({ name: "higress", version: "2.2.4" })];

let harbor: Harbor;
beforeAll(async () => {
  harbor = await aHarbor();
});
afterAll(() => harbor[Symbol.asyncDispose]());
let project = "";
let count = 0;
beforeEach(() => {
  harbor.reset();
  project = `p${String((count += 1))}`;
  harbor.state.identities.set(pusher.name, { ...pusher, projects: { "*": ["pull", "push"] } });
  harbor.set({
    version: "2.12.0",
    readOnly: false,
    expiresIn: 1800,
    bodyLimit: undefined,
    quotaResets: false,
    mounts: true,
    locationScheme: undefined,
    relativeLocations: false,
    project: { [project]: {} },
  });
});

const mapped = (): readonly Mapped[] =>
  mapItems(
    [
      aLockItem("r.io/higress/gateway:2.2.4", gateway),
      aLockItem("r.io/higress/pilot:2.2.4", pilot),
      aLockItem("r.io/plugins/ai-proxy:2.0.0", seeds[2]!, {
        kind: "plugin",
        aliases: ["r.io/plugins/ai-proxy:latest"],
      }),
      aLockItem("r.io/charts/higress:2.2.4", seeds[3]!, { kind: "chart" }),
    ],
    { registry: harbor.host, project, templates: {} },
  ).mapped;
async function push(options: PushOptions = {}, items = mapped(), source = aSource(seeds)): Promise<PushResult> {
  await using registry = registryOf(harbor, pusher);
  return await pushItems(items, source, registry, options);
}
const isDocument = (bytes: Uint8Array): boolean => Buffer.from(bytes).includes('"schemaVersion"');
const uniqueBytes = (...graphs: readonly Seed[]): number =>
  [...new Map(graphs.flatMap((seed) => [...seed.blobs])).values()]
    .filter((bytes) => !isDocument(bytes))
    .reduce((sum, bytes) => sum + bytes.byteLength, 0);
const steps = (step: string): number => harbor.requests.filter((each) => each.step === step).length;
const failureOf = async (work: Promise<unknown>) => {
  const error: unknown = await work.then(
    () => "no failure",
    (reason: unknown) => reason,
  );
  if (!isFailure(error)) throw error;
  expect(JSON.stringify([error.facts, error.message])).not.toContain("planted");
  return { code: error.code, ...error.facts } as Record<string, unknown>;
};

describe("pushItems into Harbor", () => {
  it("sends each unique byte once, and mounts the rest", async () => {
    const result = await push({ harborVersion: "2.12.0" });
    expect(harbor.uploaded).toBe(uniqueBytes(...seeds));
    expect(result).toMatchObject({ uploaded: uniqueBytes(...seeds), blobs: { mounted: 1 } });
    expect(
      harbor.state.projects.get(project)?.artifacts.get("higress/gateway")?.get(gateway.root.digest)?.tags,
    ).toEqual(new Set(["2.2.4"]));
  });

  it("asks once per tag the second time, and sends nothing", async () => {
    await push();
    harbor.reset();
    const again = await push();
    expect(again.uploaded).toBe(0);
    expect(harbor.uploaded).toBe(0);
    // Each repository begins without a token, so its first question is asked twice.
    const tags = again.tags.length;
    expect(steps("manifest.head")).toBeLessThanOrEqual(2 * tags);
    expect(harbor.requests.every(({ step }) => ["manifest.head", "token"].includes(step))).toBe(true);
  });

  it("goes on after a kill with what is missing", async () => {
    const stop = new AbortController();
    let moved = 0;
    const report: PushOptions["report"] = (event) => {
      if (event.type === "moved" && (moved += event.bytes) > uniqueBytes(...seeds) / 2) stop.abort(new Error("killed"));
    };
    await expect(push({ signal: stop.signal, report, concurrency: 1 })).rejects.toThrow("killed");
    const before = harbor.state.projects.get(project)?.used.size ?? 0;
    expect(before).toBeGreaterThan(0);
    harbor.reset();
    const result = await push({ concurrency: 1 });
    expect(result.uploaded).toBeLessThan(uniqueBytes(...seeds));
    expect(harbor.uploaded).toBe(result.uploaded);
    expect(result.tags).toHaveLength(5);
  });

  it("uploads where mounts are refused", async () => {
    harbor.set({ mounts: false });
    const result = await push();
    expect(result.blobs.mounted).toBe(0);
    expect(harbor.uploaded).toBe(result.uploaded);
  });

  it("goes on when a token runs out in the middle", async () => {
    harbor.set({ expiresIn: 10 });
    harbor.failNext("blob.put", {
      status: 401,
      code: "UNAUTHORIZED",
      headers: { "www-authenticate": 'Basic realm="harbor"' },
    });
    expect((await push({ concurrency: 2 })).tags).toHaveLength(5);
    expect(steps("token")).toBeGreaterThan(1);
  });

  it.each([
    ["http", { locationScheme: "http" as const }],
    ["nothing but a path", { relativeLocations: true }],
  ])("keeps its own way when an upload Location says %s", async (_name, switches) => {
    harbor.set(switches);
    expect((await push()).uploaded).toBe(uniqueBytes(...seeds));
  });

  it.each<[string, Parameters<Harbor["failNext"]>[0], Parameters<Harbor["failNext"]>[1]]>([
    [
      "an upload session that another replica does not know",
      "blob.put",
      { status: 404, code: "BLOB_UPLOAD_UNKNOWN", message: "blob upload unknown to registry" },
    ],
    ["a reset in the middle of a blob", "blob.put", "reset"],
    ["a proxy that timed out", "blob.put", { status: 504 }],
    ["a 500 of its database", "manifest.put", { status: 500, code: "UNKNOWN", message: "internal server error" }],
    ["too many requests", "blob.post", { status: 429, headers: { "retry-after": "0" } }],
    [
      "a child that its database does not know yet",
      "manifest.put",
      { status: 404, code: "NOT_FOUND", message: "artifact not found" },
    ],
    ["a token service that is away", "token", { status: 503 }],
  ])("recovers from %s", async (_name, step, fault) => {
    harbor.failNext(step, fault);
    expect((await push()).tags).toHaveLength(5);
  });

  it.each<[string, Parameters<Harbor["set"]>[0], Record<string, unknown>]>([
    [
      "read-only mode",
      { readOnly: true },
      { code: "REGISTRY_DENIED", because: "read-only", answer: expect.stringContaining("read only mode") },
    ],
    [
      "a proxy project",
      { project: { proxy: {} } },
      { code: "REGISTRY_DENIED", because: "proxy", answer: expect.stringContaining("proxy project") },
    ],
  ])("stops at %s, in Harbor's words", async (_name, switches, wanted) => {
    harbor.set("project" in switches ? { project: { [project]: { proxy: true } } } : switches);
    expect(await failureOf(push())).toMatchObject(wanted);
  });

  it("stops at the quota, in Harbor's words", async () => {
    harbor.set({ project: { [project]: { quota: 200_000 } } });
    const failure = await failureOf(push({ concurrency: 1 }));
    expect(failure).toMatchObject({ code: "REGISTRY_DENIED", because: "quota" });
    expect(failure["answer"]).toContain("will exceed the configured upper limit of 195.3 KiB");
  });

  it("finds the quota's refusal that was lost with the connection", async () => {
    harbor.set({ quotaResets: true, project: { [project]: { quota: 200_000 } } });
    await using api = apiOf(harbor, pusher);
    expect(await failureOf(push({ concurrency: 1, state: api }))).toMatchObject({
      code: "REGISTRY_DENIED",
      because: "quota",
      answer: expect.stringMatching(/^DENIED p\d+: quota 195\.3 KiB, used .*, wanted \d/) as string,
    });
  });

  it("believes a broken line when Harbor has nothing against us", async () => {
    for (let tries = 0; tries < 40; tries += 1) harbor.failNext("blob.put", "reset");
    await using api = apiOf(harbor, pusher);
    expect(await failureOf(push({ concurrency: 1, state: api }))).toMatchObject({ code: "REGISTRY_UNREACHABLE" });
  });

  it("reads a tag that a policy hides by the artifact API", async () => {
    harbor.set({ project: { [project]: { preventVulnerable: true, contentTrust: true } } });
    await using api = apiOf(harbor, pusher);
    const artifactDigest: PushOptions["artifactDigest"] = (repository, tag, signal) =>
      api.artifactDigest(repository, tag, signal);
    await push({ artifactDigest });
    harbor.reset();
    expect((await push({ artifactDigest })).uploaded).toBe(0);
    expect(harbor.uploaded).toBe(0);
  });

  it("leaves immutable tags that are right, and stops at one that is not", async () => {
    await push();
    harbor.set({ project: { [project]: { immutable: ["*"] } } });
    expect((await push()).uploaded).toBe(0);
    const options = { registry: harbor.host, project, templates: {} };
    const moved = mapItems([aLockItem("r.io/higress/pilot:2.2.4", gateway)], options).mapped;
    expect(await failureOf(push({}, moved))).toMatchObject({ code: "REGISTRY_REFUSED", status: 412 });
  });

  it("says that an account may not push, and who it is", async () => {
    harbor.state.identities.set(pusher.name, { ...pusher, projects: { [project]: ["pull"] } });
    const failure = await failureOf(push({ concurrency: 1 }));
    expect(failure).toMatchObject({ code: "REGISTRY_UNAUTHORIZED", as: pusher.name });
    // Core says each sentence twice; and with a new token it was asked again, once.
    expect(String(failure["answer"])).not.toMatch(/(.{8,}): \1/);
    expect(steps("blob.post")).toBe(2);
  });
});
