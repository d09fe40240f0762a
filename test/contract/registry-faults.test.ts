import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Repository } from "../../src/edge/registry/repository.ts";
import type { Registry } from "../../src/edge/registry/registry.ts";
import { copyGraph } from "../rig/copy-graph.ts";
import { readSmall } from "../../src/content/verified.ts";
import { isFailure } from "../../src/model/failure.ts";
import { aBlob, asContent, aStore, bytesOf } from "../rig/builders/graph.ts";
import { anImage } from "../rig/builders/images.ts";
import { aClient } from "../rig/client.ts";
import { aFaultServer, type Fault, type FaultServer, type Step } from "../rig/fault-server.ts";
import { aDockerRegistry, dockerRegistryUnavailable, type DockerRegistry } from "../rig/registry-process.ts";

/** What the caller sees: it works after all, it works by going on in the middle, or it fails with that code. */
type Outcome = "recovers" | "resumes" | (string & {});

const layer = aBlob(300_000);
/** Large enough for several parts. */
const large = aBlob(1_500_000);
const image = anImage({ layers: [layer] });
const config = image.nodes[0]!;
const manifest = bytesOf(image);
const tokens = { username: "robot$push", password: "correct horse" };
const login = { username: tokens.username, password: tokens.password };

interface Target {
  readonly registry: Registry;
  readonly repository: Repository;
  /** A repository that nothing was pushed to. */
  readonly fresh: Repository;
  readonly server: FaultServer;
}

const pushLayer = ({ fresh }: Target) => fresh.push(layer.root, () => aStore(layer).fetch(layer.root));
const operations: Record<
  Exclude<Step, "other" | "manifest.head" | "referrers">,
  (target: Target) => Promise<unknown>
> = {
  ping: async ({ registry }) => expect((await registry.ping()).status).toBe(401),
  token: ({ repository }) => repository.resolve("v1"),
  "blob.head": async ({ repository }) => expect(await repository.has(layer.root)).toBe(true),
  "blob.get": ({ repository }) => readSmall(repository, layer.root, "source"),
  "upload.post": pushLayer,
  "upload.put": pushLayer,
  "upload.patch": async (target) => {
    target.server.failNext("upload.put", { type: "status", status: 413 });
    await target.fresh.push(large.root, () => aStore(large).fetch(large.root));
  },
  "manifest.get": ({ repository }) => repository.resolve("v1"),
  "manifest.put": async ({ repository }) => {
    await repository.push(image.root, () => aStore(image).fetch(image.root));
    await repository.tag(image.root, manifest, "v2");
  },
  tags: async ({ repository }) => expect(await repository.tags()).toContain("v1"),
};
type Row = readonly [step: keyof typeof operations, once: Outcome, always: Outcome];

const status = (code: number, headers: Record<string, string> = {}): Fault => ({
  type: "status",
  status: code,
  headers,
  body: "<h1>no</h1>",
});
const tokenChallenge = { "www-authenticate": 'Bearer realm="/auth/token",service="registry.test"' };
const unreachable = "REGISTRY_UNREACHABLE";

const table: Record<string, { readonly fault: Fault; readonly rows: readonly Row[] }> = {
  "a 401 with a challenge": {
    fault: status(401, tokenChallenge),
    rows: [
      ["blob.head", "recovers", "REGISTRY_UNAUTHORIZED"],
      ["blob.get", "recovers", "REGISTRY_UNAUTHORIZED"],
      ["upload.post", "recovers", "REGISTRY_UNAUTHORIZED"],
      ["upload.put", "recovers", "REGISTRY_UNAUTHORIZED"],
      ["upload.patch", "recovers", "REGISTRY_UNAUTHORIZED"],
      ["manifest.get", "recovers", "REGISTRY_UNAUTHORIZED"],
      ["manifest.put", "recovers", "REGISTRY_UNAUTHORIZED"],
      ["tags", "recovers", "REGISTRY_UNAUTHORIZED"],
      ["token", "REGISTRY_LOGIN_WRONG", "REGISTRY_LOGIN_WRONG"],
    ],
  },
  "a 403": { fault: status(403), rows: everywhere("REGISTRY_DENIED", "REGISTRY_DENIED") },
  "a 404": {
    fault: status(404),
    rows: [
      ["token", "recovers", "REGISTRY_NOT_FOUND"], // One that wants a scope is asked again, with one.
      ["blob.get", "REGISTRY_NOT_FOUND", "REGISTRY_NOT_FOUND"],
      ["upload.post", "REGISTRY_NOT_FOUND", "REGISTRY_NOT_FOUND"],
      ["upload.put", "REGISTRY_NOT_FOUND", "REGISTRY_NOT_FOUND"],
      ["manifest.get", "REGISTRY_NOT_FOUND", "REGISTRY_NOT_FOUND"],
      // A replica that has not heard of the blobs yet (docs/facts/harbor.md#bulk-pushes).
      ["manifest.put", "recovers", "REGISTRY_NOT_FOUND"],
      ["tags", "REGISTRY_NOT_FOUND", "REGISTRY_NOT_FOUND"],
    ],
  },
  "a lost upload session": {
    fault: { type: "status", status: 404, body: '{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN","message":"gone"}]}' },
    rows: [
      ["upload.put", "recovers", "REGISTRY_NOT_FOUND"],
      ["upload.patch", "recovers", "REGISTRY_NOT_FOUND"],
    ],
  },
  "a 429 with Retry-After": {
    fault: status(429, { "retry-after": "0" }),
    rows: everywhere("recovers", "REGISTRY_BUSY"),
  },
  "a 503": { fault: status(503), rows: everywhere("recovers", "REGISTRY_BUSY") },
  "a reset before the answer": {
    fault: { type: "reset" },
    rows: [...everywhere("recovers", unreachable), ["ping", unreachable, unreachable]],
  },
  "a reset in the body": {
    fault: { type: "cut", at: 40 },
    rows: [
      ["token", "recovers", unreachable],
      ["blob.get", "resumes", unreachable],
      ["upload.put", "recovers", unreachable],
      ["upload.patch", "recovers", unreachable],
      ["manifest.get", "recovers", unreachable],
      ["manifest.put", "recovers", unreachable],
      ["tags", "recovers", unreachable],
    ],
  },
  "a body that is cut short": {
    fault: { type: "truncate", at: 20 },
    rows: [
      ["token", "recovers", "REGISTRY_PROTOCOL"],
      ["blob.get", "resumes", "CONTENT_MISMATCH"],
      ["manifest.get", "recovers", "CONTENT_MISMATCH"],
      ["tags", "REGISTRY_PROTOCOL", "REGISTRY_PROTOCOL"],
    ],
  },
  "a body that goes on after its end": {
    fault: { type: "longer", by: 5 },
    rows: [
      ["blob.get", "recovers", "CONTENT_MISMATCH"],
      ["manifest.get", "recovers", "CONTENT_MISMATCH"],
    ],
  },
  "a changed bit": {
    fault: { type: "flip", at: 2 },
    rows: [
      // Verified by whoever reads it, with the digest in hand.
      ["blob.get", "CONTENT_MISMATCH", "CONTENT_MISMATCH"],
      ["upload.put", "recovers", "REGISTRY_REFUSED"],
      ["upload.patch", "recovers", "REGISTRY_REFUSED"],
      ["manifest.get", "recovers", "CONTENT_MISMATCH"],
    ],
  },
  silence: {
    fault: { type: "stall", at: 40 },
    rows: [
      ["token", "recovers", "REGISTRY_STALLED"],
      ["blob.get", "resumes", "REGISTRY_STALLED"],
      ["upload.put", "recovers", "REGISTRY_STALLED"],
      ["manifest.get", "recovers", "REGISTRY_STALLED"],
      ["tags", "recovers", "REGISTRY_STALLED"],
    ],
  },
  "a drip": { fault: { type: "drip", at: 40 }, rows: [["blob.get", "resumes", "REGISTRY_STALLED"]] },
  "a Content-Length that is too large": {
    fault: { type: "length", more: 7 },
    rows: [
      ["blob.get", "recovers", "CONTENT_MISMATCH"],
      ["manifest.get", "recovers", unreachable],
      ["token", "recovers", unreachable],
    ],
  },
};

/** Every step but the ping, which is not tried again: whoever asks wants to know now. */
function everywhere(once: Outcome, always: Outcome): readonly Row[] {
  const steps = Object.keys(operations) as (keyof typeof operations)[];
  return steps.filter((step) => step !== "ping").map((step) => [step, once, always]);
}

/** Large bodies come over sockets of their own; both must answer to every fault. What is chunked is undici's again. */
function waysOf(step: keyof typeof operations, { type }: Fault): readonly { way: string; bulkFrom: number }[] {
  const usual = { way: step, bulkFrom: Infinity };
  return step === "blob.get" && !["truncate", "longer"].includes(type)
    ? [usual, { way: `${step} over sockets of its own`, bulkFrom: 0 }]
    : [usual];
}

describe.skipIf(dockerRegistryUnavailable())("the registry client", () => {
  let upstream: DockerRegistry;
  let fresh = 0;
  beforeAll(async () => {
    upstream = await aDockerRegistry();
    await using client = aClient({ origins: [upstream.url] });
    const repository = client.registry.repository("some/image");
    await copyGraph(aStore(image), repository, asContent(image));
    await repository.tag(image.root, manifest, "v1");
  });
  afterAll(() => upstream[Symbol.asyncDispose]());

  const cells = Object.entries(table).flatMap(([name, { fault, rows }]) =>
    rows.flatMap(([step, once, always]) =>
      waysOf(step, fault).flatMap(({ way, bulkFrom }) => [
        { name: `${name} at ${way}`, fault, step, bulkFrom, times: 1, outcome: once },
        { name: `${name} at ${way}, always`, fault, step, bulkFrom, times: Infinity, outcome: always },
      ]),
    ),
  );
  it.each(cells)("$name: $outcome", async ({ fault, step, bulkFrom, times, outcome }) => {
    await using server = await aFaultServer({ upstream: upstream.url, tokens });
    await using client = aClient({
      origins: [server.origin],
      login,
      // Short only where it has to pass, less so where an answer must come to its fault: a busy machine may need longer.
      stallSeconds: fault.type !== "stall" && fault.type !== "drip" ? 60 : outcome === "resumes" ? 1 : 0.3,
      partSize: 600_000,
      bulkFrom,
      side: "target",
    });
    const { registry } = client;
    const name = `fresh/${String((fresh += 1))}`;
    if (step === "upload.patch") await usable(registry, name);
    server.failNext(step, fault, times);
    const target = {
      registry,
      repository: registry.repository("some/image"),
      fresh: registry.repository(name),
      server,
    };
    const failed = (error: unknown) => (isFailure(error) ? error.code : String(error));
    const result = await operations[step](target).then(() => "works", failed);
    expect(result).toBe(outcome === "recovers" || outcome === "resumes" ? "works" : outcome);
    if (outcome === "resumes") expectResumed(server, fault);
    expect(server.count(step)).toBeLessThanOrEqual(12);
  });

  /** Exactly where the first answer ended; one that drips goes on until it is given up, however late that is noticed. */
  function expectResumed({ requests }: FaultServer, fault: Fault): void {
    const admitted = requests.filter(({ step, headers }) => step === "blob.get" && headers.authorization !== undefined);
    const ended = "at" in fault ? fault.at : NaN;
    const from = Number(/^bytes=(\d+)-$/.exec(admitted[1]?.headers.range ?? "")?.[1]);
    expect(from).toBeGreaterThanOrEqual(ended);
    expect(from).toBeLessThan(fault.type === "drip" ? layer.root.size : ended + 1);
  }

  async function usable(registry: Registry, name: string): Promise<void> {
    await registry.repository(name).push(config, () => aStore(image).fetch(config));
  }
});
