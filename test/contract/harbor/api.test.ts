import { EventEmitter, once } from "node:events";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isFailure } from "../../../src/model/failure.ts";
import { mapItems } from "../../../src/stages/relocate/mapping.ts";
import { pushItems } from "../../../src/stages/push/push.ts";
import { gatewayPull } from "../../../src/stages/plugins/gateway-pull.ts";
import { anImage, aWasmPlugin } from "../../rig/graph.ts";
import { apiOf, probeOf, registryOf } from "../../rig/harbor/access.ts";
import { admin, aHarbor, type Harbor } from "../../rig/harbor/harbor.ts";
import { stranger } from "../../rig/harbor/preflight.ts";
import type { Identity } from "../../rig/harbor/state.ts";
import { aLockItem } from "../../rig/lock-item.ts";
import { aTlsServer } from "../../rig/tls-servers.ts";
import { aSource } from "../../unit/stages/push/memory-target.ts";

const developer: Identity = { name: "dev", secret: "planted-developer", projects: { p: ["pull", "push"] } };
const guest: Identity = { name: "guest", secret: "planted-guest", projects: { p: ["pull"] } };

let harbor: Harbor;
beforeAll(async () => {
  harbor = await aHarbor({ projects: { p: { quota: 1_000_000 } }, users: [admin, developer, guest, stranger] });
});
afterAll(() => harbor[Symbol.asyncDispose]());
const codeOf = async (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => "no failure",
    (error: unknown) => (isFailure(error) ? error.code : error),
  );

describe("the Harbor client", () => {
  it("creates a project once, and takes it for made when it is there", async () => {
    await using api = apiOf(harbor, admin);
    expect(await api.createProject({ name: "fresh", isPublic: true, storageLimit: 5_000 })).toBe(true);
    expect(await api.createProject({ name: "fresh", isPublic: true })).toBe(false);
    expect(await api.project("fresh")).toMatchObject({ name: "fresh", isPublic: true, isProxy: false });
    expect(await api.quota("fresh")).toEqual({ hard: 5_000, used: 0 });
  });

  it("meets the registry once for all, and nobody's abort ends that for the others", async () => {
    const [door, stop] = [new EventEmitter(), new AbortController()];
    const [asked, opened] = [once(door, "asked"), once(door, "opened")];
    await using server = await aTlsServer("plain", (request, response) => {
      const path = request.url ?? "";
      if (path !== "/v2/") return void response.writeHead(404).end();
      door.emit("asked");
      void opened.then(() => response.end());
    });
    await using api = apiOf({ host: server.host, origin: `http://${server.host}` }, developer);
    const reason = new Error("enough");
    const [first, second] = [api.project("p", stop.signal), api.project("p")];
    const ended = expect(first).rejects.toBe(reason);
    await asked;
    stop.abort(reason);
    await ended;
    door.emit("opened");
    expect(await second).toBe("missing");
  });

  it("says in which way a project may not be made", async () => {
    harbor.set({ creation: "adminonly" });
    await using api = apiOf(harbor, developer);
    expect(await codeOf(api.createProject({ name: "other", isPublic: false }))).toBe("REGISTRY_DENIED");
    await using stranger = apiOf(harbor);
    expect(await codeOf(stranger.createProject({ name: "other", isPublic: false }))).toBe("REGISTRY_UNAUTHORIZED");
    harbor.set({ creation: "everyone" });
    expect(await codeOf(api.createProject({ name: "Not_Legal", isPublic: false }))).toBe("REGISTRY_REFUSED");
  });

  it("tells a project that is not there from one that is not ours to see", async () => {
    harbor.set({ project: { secret: {} } });
    await using api = apiOf(harbor, developer);
    expect([await api.project("nowhere"), await api.project("secret")]).toEqual(["missing", "hidden"]);
  });

  it("finds the project of exactly that name where only the fuzzy list may be asked", async () => {
    harbor.set({ project: { "my-late": { quota: 1 }, late: {} } });
    const cli: Identity = { name: "cli", secret: "planted-cli", oidcCli: true, admin: true };
    harbor.state.identities.set(cli.name, cli);
    await using api = apiOf(harbor, cli);
    expect(await api.project("late")).toMatchObject({ name: "late" });
    expect(await api.project("lat")).not.toMatchObject({ name: expect.anything() as string });
  });

  it("makes a robot for the cluster that can pull and nothing else, and renews its secret", async () => {
    await using api = apiOf(harbor, admin);
    const wanted = { project: "p", projectId: 2, name: "higress-pull" };
    const made = await api.ensurePullRobot(wanted);
    expect(made).toMatchObject({ name: "robot$p+higress-pull", state: "created" });
    const again = await api.ensurePullRobot(wanted);
    expect([again.name, again.state]).toEqual([made.name, "renewed"]);
    expect(again.secret).not.toBe(made.secret);
    await using robot = registryOf(harbor, { name: again.name, secret: again.secret });
    expect(await robot.repository("p/any").head("1")).toBeUndefined();
    expect(await robot.repository("p/any").grants()).toEqual(["pull"]);
  });

  it("finds its robot behind a hundred others", async () => {
    await using api = apiOf(harbor, admin);
    const wanted = (name: string) => ({ project: "p", projectId: 2, name });
    for (let other = 0; other < 120; other += 1) await api.ensurePullRobot(wanted(`other-${String(other)}`));
    const other = await api.ensurePullRobot(wanted("not-late"));
    const made = await api.ensurePullRobot(wanted("late"));
    const again = await api.ensurePullRobot(wanted("late"));
    expect([made.state, again.state, again.name]).toEqual(["created", "renewed", "robot$p+late"]);
    // Whoever uses another one goes on using it.
    await using registry = registryOf(harbor, other);
    expect(await registry.repository("p/any").head("1")).toBeUndefined();
    expect(await registry.repository("p/any").grants()).toEqual(["pull"]);
  });

  it("says that who is no administrator may make no robot", async () => {
    await using api = apiOf(harbor, developer);
    const work = api.ensurePullRobot({ project: "p", projectId: 2, name: "higress-pull" });
    expect(await codeOf(work)).toBe("REGISTRY_DENIED");
  });

  it("reads an artifact below a nested path, its type and what guards its tags", async () => {
    const plugin = aWasmPlugin();
    const options = { registry: harbor.host, project: "p", templates: {} };
    const { mapped } = mapItems([aLockItem("r.io/deep/er/plugin:1", plugin)], options);
    await using registry = registryOf(harbor, developer);
    await pushItems(mapped, aSource([plugin]), registry);
    harbor.set({ project: { p: { immutable: ["deep/er/plugin:1"] } } });
    await using api = apiOf(harbor, developer);
    const seen = { digest: plugin.root.digest, type: "UNKNOWN", immutableTags: ["1"] };
    expect(await api.artifact("p/deep/er/plugin", "1")).toMatchObject(seen);
    expect(await api.artifact("p/deep/er/plugin", "2")).toBeUndefined();
  });

  it("tells a tag that a policy hides from one that it may not ask for", async () => {
    harbor.set({ project: { guarded: { preventVulnerable: true } } });
    const image = anImage();
    const options = { registry: harbor.host, project: "guarded", templates: {} };
    const { mapped } = mapItems([aLockItem("r.io/a/image:1", image)], options);
    await using registry = registryOf(harbor, admin);
    await pushItems(mapped, aSource([image]), registry);
    await using probe = probeOf(harbor, admin);
    expect([await probe.tag("guarded/a/image", "1"), await probe.tag("guarded/a/image", "2")]).toEqual([
      "hidden",
      undefined,
    ]);
    harbor.failNext("manifest.head", { status: 400, code: "NAME_INVALID", message: "no" });
    expect(await codeOf(probe.tag("guarded/a/image", "1"))).toBe("REGISTRY_REFUSED");
  });

  it("refuses an answer that is none of Harbor's", async () => {
    harbor.failNext("rest", { status: 200 });
    await using api = apiOf(harbor, admin);
    expect(await codeOf(api.systemInfo())).toBe("REGISTRY_PROTOCOL");
  });

  it("keeps the password out of what a server throws back", async () => {
    harbor.failNext("rest", { status: 400, code: "BAD_REQUEST", message: `you sent ${developer.secret}` });
    await using api = apiOf(harbor, developer);
    const error: unknown = await api.systemInfo().catch((reason: unknown) => reason);
    expect(String(error)).toContain("you sent ***");
    expect(JSON.stringify(error)).not.toContain("planted");
  });
});

describe("gatewayPull", () => {
  const plugin = aWasmPlugin();
  const pulled = (tag: string) => ({
    name: "ai-proxy",
    digest: plugin.root.digest,
    target: { registry: harbor.host, repository: "p/plugins/ai-proxy", tag },
  });
  const pull = async (
    as: Identity,
    tag = "1",
    layout: (bytes: Uint8Array) => string | undefined = () => undefined,
    times = 1,
  ) => {
    await using registry = registryOf(harbor, as);
    return await gatewayPull(
      Array.from({ length: times }, () => pulled(tag)),
      (name) => registry.repository(name),
      {
        host: harbor.host,
        as: as.name,
        layout,
      },
    );
  };
  beforeAll(async () => {
    const options = { registry: harbor.host, project: "p", templates: {} };
    const { mapped } = mapItems([aLockItem("r.io/plugins/ai-proxy:1", plugin, { kind: "plugin" })], options);
    const other = mapItems([aLockItem("r.io/plugins/ai-proxy:other", anImage())], options).mapped;
    await using registry = registryOf(harbor, developer);
    await pushItems([...mapped, ...other], aSource([plugin, anImage()]), registry);
  });

  it("is told once of an account that the registry does not know", async () => {
    const findings = await pull({ ...guest, secret: "planted-but-wrong" }, "1", undefined, 3);
    expect(findings).toMatchObject([{ code: "registry.credentials-wrong", facts: { as: guest.name } }]);
  });

  it("is content when the account gets manifest and module", async () => {
    expect(await pull(guest)).toEqual([]);
  });

  it("says what the gateway's rule has against the layers", async () => {
    expect(await pull(guest, "1", () => "one layer")).toMatchObject([
      { code: "plugin.layout", facts: { why: "one layer" } },
    ]);
  });

  it("asks for a push, not for rights, where the tag is not there", async () => {
    const findings = await pull(guest, "2");
    expect(findings).toMatchObject([
      { code: "registry.not-pushed", facts: { reference: expect.any(String) as string } },
    ]);
  });

  it.each([
    ["an account without pull", stranger, "1", "REGISTRY_UNAUTHORIZED"],
    ["a tag that is another artifact", guest, "other", "CONTENT_MISMATCH"],
  ])("reports %s", async (_name, as, tag, code) => {
    const findings = await pull(as, tag);
    expect(findings).toMatchObject([{ code: "registry.no-pull", severity: "error", facts: { as: as.name } }]);
    expect(JSON.stringify(findings)).toContain(code);
    expect(JSON.stringify(findings)).not.toContain("planted");
  });
});
