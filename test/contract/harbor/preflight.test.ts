import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { PreflightResult } from "../../../src/stages/preflight-registry/preflight.ts";
import { mapItems } from "../../../src/stages/relocate/mapping.ts";
import { pushItems } from "../../../src/stages/push/push.ts";
import { anImage } from "../../rig/graph.ts";
import { registryOf } from "../../rig/harbor/access.ts";
import { admin, aHarbor, type Harbor } from "../../rig/harbor/harbor.ts";
import type { Identity } from "../../rig/harbor/state.ts";
import { codes, factsOf, preflight, puller, pusher, stranger, type Run } from "../../rig/harbor/preflight.ts";
import { aLockItem } from "../../rig/lock-item.ts";
import { aSource } from "../../unit/stages/push/memory-target.ts";

let harbor: Harbor;
beforeAll(async () => {
  harbor = await aHarbor();
});
afterAll(() => harbor[Symbol.asyncDispose]());
beforeEach(() => {
  harbor.reset();
  harbor.state.projects.clear();
  harbor.state.identities.clear();
  for (const identity of [admin, pusher, puller, stranger]) harbor.state.identities.set(identity.name, identity);
  harbor.set({
    version: "2.12.0",
    readOnly: false,
    creation: "everyone",
    realm: undefined,
    clockSkew: 0,
    bodyLimit: undefined,
    unhealthy: [],
    ca: undefined,
    expiresIn: 1800,
    project: { p: {} },
  });
});

const run = (options: Partial<Run> = {}): Promise<PreflightResult> => preflight({ at: harbor, ...options });

describe("preflightRegistry", () => {
  it("finds nothing to complain of where all is well", async () => {
    const { findings, kind, harborVersion } = await run();
    expect(codes(findings)).toEqual(["note registry.harbor"]);
    expect([kind, harborVersion]).toEqual(["harbor", "2.12.0"]);
  });

  it("reports every fault of a Harbor in one run", async () => {
    await using registry = registryOf(harbor, admin);
    const { mapped } = mapItems([aLockItem("r.io/a/gateway:1", anImage({ layers: [{ other: "x" }] }))], {
      registry: harbor.host,
      project: "p",
      templates: {},
    });
    await pushItems(mapped, aSource([anImage({ layers: [{ other: "x" }] })]), registry);
    harbor.set({
      readOnly: true,
      realm: "http://10.1.2.3/service/token",
      clockSkew: 300,
      unhealthy: ["database"],
      project: { p: { quota: 10, immutable: ["a/gateway:1"], preventVulnerable: true, proxy: true } },
    });
    const { findings } = await run({
      as: { ...puller },
      input: { missing: new Map([["p", 5_000_000]]), gatewayPulls: true },
    });
    expect(codes(findings)).toEqual([
      "error registry.no-push",
      "error registry.project-proxy",
      "error registry.read-only",
      "error registry.tag-immutable",
      "error registry.unhealthy",
      "note registry.harbor",
      "note registry.not-asked",
      "note registry.not-asked",
      "warning registry.clock-skew",
      "warning registry.pull-as-push",
      "warning registry.pull-policy",
      "warning registry.realm-private-ip",
    ]);
  });

  it.each<[string, Parameters<Harbor["set"]>[0], Partial<Run>, string, unknown]>([
    [
      "the quota",
      { project: { p: { quota: 1_048_576 } } },
      { input: { missing: new Map([["p", 3_145_728]]) } },
      "registry.quota-short",
      { project: "p", free: "1.0 MiB", needed: "3.0 MiB" },
    ],
    ["a body limit that parts pass", { bodyLimit: 1_048_576 }, {}, "registry.body-limit", { size: "2.0 MiB" }],
    [
      "a private project without credentials to pull",
      {},
      { input: { pull: undefined } },
      "registry.project-private",
      { project: "p" },
    ],
    ["a pusher without push", {}, { as: puller }, "registry.no-push", { project: "p", as: puller.name, holds: "pull" }],
    [
      "a wrong password",
      {},
      { as: { ...pusher, secret: "planted-but-wrong" } },
      "registry.credentials-wrong",
      { as: pusher.name },
    ],
    ["a puller without pull", {}, { pull: stranger }, "registry.no-pull", { as: stranger.name }],
    [
      "content trust",
      { project: { p: { contentTrust: true } } },
      {},
      "registry.pull-policy",
      { policy: "content_trust" },
    ],
    [
      "a realm that is elsewhere",
      { realm: "https://harbor.other.example/service/token" },
      {},
      "registry.realm-elsewhere",
      { realm: "https://harbor.other.example/" },
    ],
    ["a clock that is behind", { clockSkew: -3600 }, {}, "registry.clock-skew", {}],
    [
      "a database that is down",
      { unhealthy: ["database", "trivy"] },
      {},
      "registry.unhealthy",
      { components: "database" },
    ],
  ])("names %s", async (_name, switches, options, code, facts) => {
    harbor.set(switches);
    expect(factsOf((await run(options)).findings, code)).toMatchObject({ host: harbor.host, ...(facts as object) });
  });

  it("only warns of a quota while nobody has counted what is missing", async () => {
    harbor.set({ project: { p: { quota: 100 } } });
    expect(codes((await run()).findings)).toContain("warning registry.quota-short");
    expect(codes((await run({ input: { missing: new Map([["p", 101]]) } })).findings)).toContain(
      "error registry.quota-short",
    );
  });

  it("sees the version from 2.13 on only with credentials that hold", async () => {
    harbor.set({ version: "2.15.2" });
    expect((await run()).harborVersion).toBe("2.15.2");
    expect((await run({ as: { ...pusher, secret: "planted-but-wrong" } })).harborVersion).toBeUndefined();
  });

  it("takes an expired robot for wrong credentials", async () => {
    harbor.state.identities.set(pusher.name, { ...pusher, expired: true });
    expect(codes((await run()).findings)).toContain("error registry.credentials-wrong");
  });

  it.each([
    ["everyone", false, "error registry.project-missing"],
    ["everyone", true, "note registry.project-to-create"],
    ["adminonly", false, "error registry.project-missing"],
    ["adminonly", true, "warning registry.project-not-ours"],
    ["adminonly", true, "error registry.project-not-ours", stranger],
    ["adminonly", true, "note registry.project-to-create", admin],
  ] as const)(
    "says of a missing project, where %s may create and asked to: %s, only %s",
    async (creation, createProject, said, as: Identity = pusher) => {
      harbor.state.projects.clear();
      harbor.set({ creation });
      const { findings } = await run({ as, input: { createProject } });
      expect(codes(findings)).toEqual([said, "note registry.harbor"].sort());
      const more = { missing: { creation }, ours: { as: as.name }, create: {} }[said.split("-").at(-1) ?? ""];
      const facts = { host: harbor.host, project: "p", ...more };
      expect(factsOf(findings, said.split(" ")[1] ?? "")).toEqual(facts);
    },
  );

  it("calls a body limit below the smallest part an error", async () => {
    harbor.set({ bodyLimit: 100_000 });
    expect(codes((await run()).findings)).toContain("error registry.body-limit");
  });

  it("finds an OIDC user's project by the list, the one call that it may make", async () => {
    harbor.state.identities.set(pusher.name, { ...pusher, oidcCli: true });
    for (let index = 0; index < 150; index += 1) harbor.set({ project: { [`p${String(index)}`]: { public: true } } });
    harbor.set({ project: { p: { proxy: true } } });
    expect(codes((await run()).findings)).toContain("error registry.project-proxy");
  });

  it("stores nothing", async () => {
    await run();
    const changed = harbor.requests.filter(
      ({ method, step }) => method === "PUT" || (method === "POST" && step === "rest"),
    );
    expect(changed).toEqual([]);
    expect(harbor.state.projects.get("p")?.used.size).toBe(0);
  });

  it("sends no cookie, and no credentials to what is open to all", async () => {
    await run();
    expect(harbor.requests.filter(({ cookie }) => cookie)).toEqual([]);
    expect(
      harbor.requests.filter(({ path }) => path === "/api/v2.0/ping").map(({ authorization }) => authorization),
    ).toEqual(["none"]);
  });

  it("reports a question that breaks, and asks the others", async () => {
    harbor.failNext("blob.post", { status: 503 });
    harbor.set({ readOnly: false, unhealthy: ["redis"] });
    const { findings } = await run();
    expect(codes(findings)).toContain("error registry.unhealthy");
    expect(factsOf(findings, "registry.unanswered")).toMatchObject({
      question: "upload",
      reason: expect.stringMatching(/^503/) as string,
    });
  });

  it("tells no secret, whatever is wrong", async () => {
    harbor.set({ readOnly: true, clockSkew: 400, unhealthy: ["core"] });
    const seen = await Promise.all([
      run(),
      run({ as: { ...pusher, secret: "planted-but-wrong" } }),
      run({ as: puller }),
    ]);
    expect(JSON.stringify(seen)).not.toMatch(/planted/);
  });

  it("says that nobody answers, and why", async () => {
    const nowhere = { ...harbor, host: "127.0.0.1:9", origin: "http://127.0.0.1:9" } as Harbor;
    const { findings, kind } = await run({ at: nowhere });
    expect(codes(findings)).toEqual(["error registry.unreachable"]);
    expect(JSON.stringify(findings)).toContain("ECONNREFUSED");
    expect(kind).toBe("unknown");
  });
});
