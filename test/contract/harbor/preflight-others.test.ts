import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { pushItems } from "../../../src/stages/push/push.ts";
import { mapItems } from "../../../src/stages/relocate/mapping.ts";
import { anImage } from "../../rig/graph.ts";
import { registryOf } from "../../rig/harbor/access.ts";
import { codes, factsOf, preflight } from "../../rig/harbor/preflight.ts";
import type { Identity } from "../../rig/harbor/state.ts";
import { aLockItem } from "../../rig/lock-item.ts";
import { anotherRegistry, type Product } from "../../rig/other-registry.ts";
import { aDockerRegistry, dockerRegistryUnavailable } from "../../rig/registry-process.ts";
import { aSource } from "../../unit/stages/push/memory-target.ts";

const unavailable = dockerRegistryUnavailable();
const because = unavailable === undefined ? "" : ` (not run: ${unavailable})`;
const pusher: Identity = { name: "pusher", secret: "planted-other" };
const leftOut = ["project", "quota", "read-only", "health", "immutable"];

interface Place {
  readonly host: string;
  readonly origin: string;
}

/** Asked, and then pushed to, since a preflight that is content should be right. */
async function askAndPush(at: Place, as: Identity, wrong: Identity = as) {
  const { findings, kind } = await preflight({ at, as: wrong, pull: wrong });
  if (wrong === as) {
    const image = anImage();
    const { mapped } = mapItems([aLockItem("r.io/a/gateway:1", image)], {
      registry: at.host,
      project: "p",
      templates: {},
    });
    await using registry = registryOf(at, as);
    expect((await pushItems(mapped, aSource([image]), registry)).tags).toHaveLength(1);
  }
  expect(JSON.stringify(findings)).not.toContain("planted");
  return { findings, kind };
}

describe.skipIf(unavailable !== undefined)(`preflightRegistry against what is no Harbor${because}`, () => {
  it.each([
    ["nexus", "nexus"],
    ["gitea", "gitea"],
    ["gitlab", "gitlab"],
    // Nothing in its greeting tells it from the reference implementation, and nothing needs to.
    ["zot", "distribution"],
  ] as const)("a %s is called %s, and told which questions only Harbor answers", async (product, kind) => {
    await using other = await anotherRegistry({ product, user: pusher.name, password: pusher.secret });
    const seen = await askAndPush(other, pusher);
    expect(seen.kind).toBe(kind);
    expect(codes(seen.findings)).toEqual([
      ...leftOut.map(() => "note registry.not-asked"),
      "note registry.not-harbor",
      // One account for both here.
      "warning registry.pull-as-push",
    ]);
    const notAsked = seen.findings.filter(({ code }) => code === "registry.not-asked").map(({ facts }) => facts);
    expect(notAsked).toEqual(leftOut.map((question) => ({ subject: other.host, question, why: "harbor-only" })));
  });

  it.each<Product>(["nexus", "gitea", "gitlab", "zot"])(
    "a %s that does not take the password says so",
    async (product) => {
      await using other = await anotherRegistry({ product, user: pusher.name, password: pusher.secret });
      const { findings } = await askAndPush(other, pusher, { ...pusher, secret: "planted-but-wrong" });
      expect(codes(findings)).toContain("error registry.credentials-wrong");
      expect(factsOf(findings, "registry.credentials-wrong")).toEqual({ host: other.host, as: pusher.name });
    },
  );

  // Both want a name and a password and have no token service: it passed as right, and HEAD was blamed.
  it.each<Product>(["nexus", "zot"])("a %s to which nobody logs in says that it wants a login", async (product) => {
    await using other = await anotherRegistry({ product, user: pusher.name, password: pusher.secret });
    const passed: string[] = [];
    const input = { passed: ({ question }: { readonly question: string }) => void passed.push(question) };
    const { findings } = await preflight({ at: other, as: "nobody", pull: pusher, input });
    expect(codes(findings).filter((each) => each.startsWith("error"))).toEqual(["error registry.login-wanted"]);
    expect(passed).not.toContain("credentials");
    expect(passed).not.toContain("push");
  });

  it("a plain registry that is open to all needs nothing else", async () => {
    await using plain = await aDockerRegistry();
    const { findings, kind } = await askAndPush({ host: plain.host, origin: plain.url }, pusher);
    expect(kind).toBe("distribution");
    expect(codes(findings).filter((code) => code.startsWith("error"))).toEqual([]);
  });

  it("a plain registry with passwords takes the right one and refuses the wrong one", async () => {
    await using plain = await aDockerRegistry({ htpasswd: { user: pusher.name, password: pusher.secret } });
    const at = { host: plain.host, origin: plain.url };
    expect(codes((await askAndPush(at, pusher)).findings).filter((code) => code.startsWith("error"))).toEqual([]);
    const wrong = await askAndPush(at, pusher, { ...pusher, secret: "planted-but-wrong" });
    expect(codes(wrong.findings)).toContain("error registry.credentials-wrong");
  });

  it("a registry whose account may only read says who may not push where", async () => {
    await using other = await anotherRegistry({
      product: "nexus",
      user: pusher.name,
      password: pusher.secret,
      readsOnly: true,
    });
    const { findings } = await preflight({ at: other, as: pusher, pull: pusher });
    expect(factsOf(findings, "registry.no-push")).toEqual({
      host: other.host,
      project: "p",
      as: pusher.name,
      holds: "-",
    });
  });

  it("a front that sends plain http to https is told apart from a registry, and nothing else is asked", async () => {
    const to = "https://harbor.corp.example/v2/";
    await using front = createServer((_request, response) => response.writeHead(308, { Location: to }).end());
    front.listen(0, "127.0.0.1");
    await once(front, "listening");
    const host = `127.0.0.1:${(front.address() as AddressInfo).port}`;
    const harbor = { host, origin: `http://${host}` } as Parameters<typeof preflight>[0]["at"];
    const { findings } = await preflight({ at: harbor });
    expect(codes(findings)).toEqual(["error registry.redirects-to-https", "note registry.not-asked"]);
    expect(factsOf(findings, "registry.redirects-to-https")).toEqual({ host, to });
  });

  it("a plain registry that takes no writes says so at the try of an upload", async () => {
    await using plain = await aDockerRegistry({ readOnly: true });
    const { findings } = await preflight({ at: { host: plain.host, origin: plain.url } });
    expect(codes(findings)).toContain("error registry.read-only");
    // Where nothing has to be written, that is no obstacle.
    const settled = await preflight({
      at: { host: plain.host, origin: plain.url },
      input: { settled: new Set(["p"]) },
    });
    expect(codes(settled.findings).filter((code) => code.startsWith("error"))).toEqual([]);
    expect(factsOf(settled.findings, "registry.takes-no-writes")).toEqual({ subject: `${plain.host}/p` });
  });
});
