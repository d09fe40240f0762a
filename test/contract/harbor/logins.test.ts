import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openTarget, pullerAccess, pullLogin } from "../../../src/cli/wire/registries.ts";
import { TargetProbe } from "../../../src/edge/harbor/probe.ts";
import { askRegistry } from "../../../src/pipeline/preflight.ts";
import { pullSecretOf } from "../../../src/pipeline/pull-secret.ts";
import { push } from "../../../src/pipeline/push.ts";
import type { ClusterIdentity } from "../../../src/stages/receipt/receipt.ts";
import { unknownCluster } from "../../../src/model/receipt.ts";
import type { Report } from "../../../src/model/event.ts";
import type { ItemKind } from "../../../src/model/lock.ts";
import { Site } from "../../../src/model/site.ts";
import type { InstallInput } from "../../../src/pipeline/install-ports.ts";
import { mapItems } from "../../../src/stages/relocate/mapping.ts";
import { createReporter } from "../../../src/ui/reporter.ts";
import { anImage } from "../../rig/graph.ts";
import { registryOf } from "../../rig/harbor/access.ts";
import { admin, aHarbor, type Harbor } from "../../rig/harbor/harbor.ts";
import { codes, puller, pusher } from "../../rig/harbor/preflight.ts";
import { aLockItem } from "../../rig/lock-item.ts";
import { aDockerRegistry } from "../../rig/registry-process.ts";
import { aSource } from "../../unit/stages/push/memory-target.ts";

const image = anImage();
const host = "harbor.corp.example";

/** As the commands see it: a site file's target, opened, and a bundle of 13 repositories for it. */
async function aSession(origin: string, pushes: Login, pull: Record<string, unknown> = {}, more: SessionOptions = {}) {
  const site = Site.parse({
    apiVersion: "higress-airgap/v1",
    kind: "Site",
    registry: { host, project: "p", credentials: { username: pushes.name, passwordEnv: "PUSH" } },
    pull,
    plugins: { mode: more.mode ?? "oci" },
    registries: { [host]: { endpoints: [{ url: origin }] } },
  });
  const context = {
    env: { PUSH: pushes.secret, PULL: puller.secret },
    cwd: "/",
    stdout: { write: () => true },
    signal: new AbortController().signal,
    reporter: createReporter({ mode: "json", language: "en", write: () => undefined, columns: () => 80, now: () => 0 }),
    language: "en" as const,
    now: () => new Date(),
  };
  const items = Array.from({ length: 13 }, (_, index) =>
    aLockItem(`r.io/a/image-${String(index)}:1`, image, { kind: more.kind ?? "image" }),
  );
  const { mapped } = mapItems(items, { registry: host, project: "p", templates: {} });
  const source = aSource([image]);
  const options = { site, sitePath: "/site.yaml" };
  const session = await openTarget(options, context);
  const plan = { mapped } as unknown as InstallInput["plan"];
  const bundle = { ...source, document: { blobs: [] } } as unknown as InstallInput["bundle"];
  const projects = {
    harbor: () => session.harbor(),
    pullLogin: () => pullLogin(site, context),
    cluster: () => Promise.resolve(more.cluster ?? { server: "uid-a" }),
    signal: context.signal,
  };
  return {
    site,
    session,
    preflight: async (report?: Report) => {
      const probe = { host, env: context.env };
      await using asPusher = new TargetProbe(session.access, probe);
      await using asPuller = new TargetProbe(await pullerAccess(session, options, context), probe);
      return await askRegistry(
        { site, plan, bundle },
        {
          target: session.target,
          pushOptions: session.pushOptions,
          insecure: session.access.insecure,
          pusher: asPusher,
          puller: asPuller,
          now: context.now,
          signal: context.signal,
          report,
        },
      );
    },
    push: () => push({ site, plan, content: { ...source, document: {} } }, session, {}),
    pullSecret: () => pullSecretOf(site, projects),
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  };
}
interface SessionOptions {
  readonly cluster?: ClusterIdentity;
  readonly mode?: "oci" | "http";
  /** Of all that is carried. */
  readonly kind?: ItemKind;
}
interface Login {
  readonly name: string;
  readonly secret: string;
}

let harbor: Harbor;
beforeAll(async () => {
  harbor = await aHarbor({ users: [admin, pusher, puller], projects: { p: {} } });
  harbor.set({ realm: `https://${host}/service/token` });
});
afterAll(() => harbor[Symbol.asyncDispose]());
beforeEach(() => harbor.reset());
const failedLogins = (): number => harbor.requests.filter(({ failedLogin }) => failedLogin).length;
const wrong = { ...pusher, secret: "planted-but-wrong" };

describe("a wrong password", () => {
  it("is one failed login in a push, and ends it", async () => {
    await using run = await aSession(harbor.origin, wrong);
    await expect(run.push()).rejects.toMatchObject({ code: "REGISTRY_LOGIN_WRONG", facts: { as: pusher.name } });
    expect(failedLogins()).toBe(1);
  });

  it("is one failed login in a preflight, and one finding that stops", async () => {
    await using run = await aSession(harbor.origin, wrong);
    const { findings } = await run.preflight();
    expect(codes(findings).filter((code) => code.startsWith("error"))).toEqual(["error registry.credentials-wrong"]);
    expect(failedLogins()).toBe(1);
  });

  it("of who pulls is one failed login, too, and all else is asked", async () => {
    const credentials = { username: puller.name, passwordEnv: "PUSH" };
    await using run = await aSession(harbor.origin, pusher, { credentials });
    const { findings } = await run.preflight();
    expect(codes(findings)).toEqual(["error registry.credentials-wrong", "note registry.harbor"]);
    expect(failedLogins()).toBe(1);
  });

  it("is none where it is right", async () => {
    await using run = await aSession(harbor.origin, pusher, {
      credentials: { username: puller.name, passwordEnv: "PULL" },
    });
    const passed: string[] = [];
    const { findings } = await run.preflight((event) => {
      if (event.type === "note" && event.text === "passed-registry") passed.push(event.facts.question);
    });
    expect(codes(findings)).toEqual(["note registry.harbor"]);
    expect(passed).toContain("push");
    expect((await run.push()).tags).toHaveLength(13);
    expect(failedLogins()).toBe(0);
  });
});

describe("a realm that the gateway would not follow", () => {
  beforeEach(() => harbor.set({ realm: "https://10.1.2.3/service/token" }));
  afterEach(() => harbor.set({ realm: `https://${host}/service/token` }));

  it.each<[string, SessionOptions, string]>([
    ["is told where the gateway fetches its plugins there", { kind: "plugin" }, "registry.realm-private-ip"],
    ["is another place where plugins come over http", { kind: "plugin", mode: "http" }, "registry.realm-elsewhere"],
    ["is another place where no plugin is carried", {}, "registry.realm-elsewhere"],
  ])("%s", async (_name, options, code) => {
    await using run = await aSession(harbor.origin, pusher, {}, options);
    const { findings } = await run.preflight();
    expect(codes(findings).filter((each) => each.includes("realm"))).toEqual([`warning ${code}`]);
  });
});

describe("a Harbor whose API does not answer", () => {
  const away = (times: number): void => {
    for (let count = 0; count < times; count += 1) harbor.failNext("rest", { status: 502 });
  };

  it("is asked again, and is a Harbor", async () => {
    away(2);
    await using run = await aSession(harbor.origin, admin, { robot: true });
    expect((await run.pullSecret())?.username).toMatch(/^robot\$p\+higress-airgap-pull-[0-9a-f]{8}$/);
  });

  it("gives each cluster and namespace a robot of its own: a second one does not take the secret of the first", async () => {
    const clusters: readonly ClusterIdentity[] = [
      { server: "uid-a", url: "https://10.0.0.1:6443" },
      { server: "uid-b", url: "https://10.0.0.1:6443" },
      { server: unknownCluster, url: "https://10.0.0.1:6443" },
      { server: unknownCluster, url: "https://10.0.0.2:6443" },
    ];
    const secretsOf = async (cluster: ClusterIdentity) => {
      await using run = await aSession(harbor.origin, admin, { robot: true }, { cluster });
      return await run.pullSecret();
    };
    const first = await Promise.all(clusters.map(secretsOf));
    expect(new Set(first.map((secret) => secret?.username)).size).toBe(clusters.length);
    const again = await secretsOf({ server: "uid-a", url: "https://127.0.0.1:6443" });
    expect(again?.username).toBe(first[0]?.username);
    for (const secret of first.slice(1)) {
      const repository = registryOf(harbor, { name: secret!.username, secret: secret!.password }).repository("p/none");
      expect(await repository.head("1")).toBeUndefined();
    }
  });

  it("is not taken for none: nobody else's password goes into the cluster", async () => {
    away(50);
    await using run = await aSession(harbor.origin, admin, { robot: true });
    await expect(run.pullSecret()).rejects.toMatchObject({ code: "REGISTRY_BUSY" });
    await expect(run.push()).rejects.toMatchObject({ code: "REGISTRY_BUSY" });
    const { findings } = await run.preflight();
    expect(codes(findings)).toEqual(["error registry.unanswered"]);
  });

  it("makes no robot where there is no Harbor, and says so before", async () => {
    await using registry = await aDockerRegistry();
    await using run = await aSession(registry.url, pusher, { robot: true });
    await expect(run.pullSecret()).rejects.toMatchObject({ code: "ROBOT_IMPOSSIBLE", facts: { host } });
    expect(codes((await run.preflight()).findings)).toContain("error registry.robot-impossible");
  });
});
