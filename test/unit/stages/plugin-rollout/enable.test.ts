import { describe, expect, it } from "vitest";
import { isEnabled } from "../../../../src/model/wasm-plugin.ts";
import { anEcdsDump } from "../../../rig/gateway/ecds-dump.ts";
import {
  enabled,
  goodPod,
  live,
  namespace,
  plugin,
  SufferingGateway,
  type Effects,
} from "../../../rig/gateway/suffering.ts";
import { aPod } from "../../../rig/pods.ts";

describe("enablePlugins", () => {
  it("loads plugins for no request first, then for all, and watches both times", async () => {
    const world = new SufferingGateway();
    const { states, findings, seconds, events } = await enabled(world, [plugin("cors"), plugin("waf")]);
    expect(states).toEqual({ cors: "on", waf: "on" });
    expect(findings).toEqual([]);
    expect(seconds).toBe(60);
    const on = events.flatMap((event) => (event.type === "note" && event.text === "plugin-on" ? [event.facts] : []));
    expect(on).toEqual([{ plugin: "cors-1.0.0" }, { plugin: "waf-1.0.0" }]);
    expect(world.changes).toEqual(["cors", "waf", "cors", "waf"].map((name) => `apply WasmPlugin/${name}-1.0.0`));
    expect((await live(world, "cors"))?.spec).toEqual(plugin("cors").spec);
  });

  it("writes down what it is about to do before it does it, and then what came of it", async () => {
    const { kept } = await enabled(new SufferingGateway({ waf: { pod: crash } }), [plugin("cors"), plugin("waf")]);
    // Both as canaries, which crashes; both back; cors twice; waf, and back.
    expect(kept).toEqual(["cors on after 0", "waf on after 0", "cors on after 6", "waf off after 8"]);
  });

  const crash = { name: "gateway-1", restarts: 1, waiting: { reason: "CrashLoopBackOff" }, ended: { exitCode: 139 } };
  it.each<[string, Effects, RegExp]>([
    ["crashes the gateway", { pod: crash }, /CrashLoopBackOff exit 139/],
    ["restarts it", { pod: { name: "gateway-1", restarts: 2 } }, /restarted/],
    ["makes it unready", { pod: { name: "gateway-1", ready: false } }, /ready 0\/1/],
    [
      "cannot be fetched",
      { metrics: 'istio_agent_wasm_remote_fetch_count{result="download_failure"} 1' },
      /download_failure 1/,
    ],
    ["is said to be broken", { log: "Failed to load Wasm module due to a missing import: env.proxy_x" }, /wasm-import/],
    ["never reaches the gateway", { has: "nothing" }, /not delivered within 90 s/],
    ["is replaced by a stand-in", { has: "stand-in" }, /not fetched: the gateway has a stand-in/],
    ["is listed, and runs nowhere", { has: "no VM" }, /not loaded: the gateway lists it and runs nothing of it/],
    [
      "is named by Envoy after what is wrong",
      { log: "Wasm VM failed Failed to load Wasm bytecode\nPlugin higress-system.bad-1.0.0 failed to load" },
      /wasm-corrupt/,
    ],
    ["breaks real requests only", { log: "Caught Segmentation fault", onlyLive: true }, /gateway-segfault/],
  ])("switches a plugin off that %s, says why, and goes on with the next", async (_what, effect, why) => {
    const world = new SufferingGateway({ bad: effect });
    const { states, findings, events } = await enabled(world, [plugin("bad"), plugin("cors")]);
    expect(states).toEqual({ bad: "off", cors: "on" });
    expect(events).toContainEqual({ type: "note", text: "plugin-off", facts: { plugin: "bad-1.0.0" } });
    expect(findings).toMatchObject([
      {
        code: "plugin.switched-off",
        severity: "error",
        facts: { plugin: "bad-1.0.0", why: expect.stringMatching(why) as string },
      },
    ]);
    expect(isEnabled((await live(world, "bad"))!)).toBe(false);
  });

  it("starts a crashed gateway pod anew instead of waiting for its back-off", async () => {
    const world = new SufferingGateway({ bad: { pod: crash } });
    // The pod stays crashed although the plugin is off: the kubelet waits.
    world.list = <T>() => Promise.resolve([aPod({ app: "higress-gateway", ...(deleted() ? goodPod : crash) })] as T[]);
    const deleted = () =>
      world.changes.includes("delete pods/gateway-1") || !world.changes.some((c) => c.startsWith("apply"));
    const { states } = await enabled(world, [plugin("bad")]);
    expect(states).toEqual({ bad: "off" });
    expect(world.changes.filter((change) => change.startsWith("delete"))).toEqual(["delete pods/gateway-1"]);
  });

  it("starts a pod anew that stays ready and does not answer any more", async () => {
    const world = new SufferingGateway();
    const exec = world.exec.bind(world);
    const wasTouched = () => world.changes.some((change) => change.startsWith("apply"));
    const hangs = () => wasTouched() && !world.changes.includes("delete pods/gateway-1");
    world.exec = (query) => (hangs() ? Promise.resolve(undefined) : exec(query));
    const { states } = await enabled(world, [plugin("bad")]);
    expect(states).toEqual({ bad: "off" });
    expect(world.changes.filter((change) => change.startsWith("delete"))).toEqual(["delete pods/gateway-1"]);
  });

  it("puts the version back that worked, rather than none", async () => {
    const world = new SufferingGateway({ "key-auth": { log: "Wasm VM failed Failed to configure base Wasm plugin" } });
    const old = {
      ...plugin("key-auth", { old: true }),
      spec: { url: "oci://harbor.test/old:1", defaultConfig: { old: true } },
    };
    world.add(old, "console");
    world.effects = async () => {
      const url = (await live(world, "key-auth"))?.spec?.url;
      return url === "oci://harbor.test/old:1" ? [] : [{ log: "Failed to configure base Wasm plugin" }];
    };
    const { plugins } = await enabled(world, [plugin("key-auth")]);
    expect(plugins).toMatchObject([{ state: "off", before: "oci://harbor.test/old:1" }]);
    expect((await live(world, "key-auth"))?.spec).toEqual(old.spec);
  });

  it("does not touch what is on already, so that a second run changes nothing", async () => {
    const world = new SufferingGateway();
    await enabled(world, [plugin("cors")]);
    const changes = world.changes.length;
    const { states, seconds } = await enabled(world, [plugin("cors")]);
    expect([states, seconds, world.changes.length]).toEqual([{ cors: "on" }, 0, changes]);
  });

  it("tries nothing on a gateway that is down", async () => {
    const world = new SufferingGateway();
    world.list = <T>() => Promise.resolve([aPod({ ...goodPod, ready: false })] as T[]);
    const { states, findings } = await enabled(world, [plugin("cors"), plugin("waf")]);
    expect(states).toEqual({ cors: "off" });
    expect(findings).toHaveLength(1);
    expect(world.changes).toEqual([]);
  });

  it("does not blame a plugin for trouble that was there before", async () => {
    const world = new SufferingGateway();
    const old = "error wasm cannot fetch Wasm module oci://public.test/other:1";
    let count = 0;
    world.logs = () =>
      Promise.resolve(Array.from({ length: (count += 1) }, (_, at) => `${String(at)} ${old}`).join("\n"));
    expect((await enabled(world, [plugin("cors")])).states).toEqual({ cors: "on" });
  });

  it("blames it for what was said of another before, when it is said of it now", async () => {
    const world = new SufferingGateway();
    const said = (name: string) => `Unable to create Wasm plugin higress-system.${name}-1.0.0\n`;
    world.logs = async () => said("old") + ((await live(world, "cors")) === undefined ? "" : said("cors"));
    const { states, findings } = await enabled(world, [plugin("cors")]);
    expect(states).toEqual({ cors: "off" });
    expect(findings).toMatchObject([{ facts: { why: expect.stringContaining("cors-1.0.0") as string } }]);
  });

  it("does not blame it for what is said of another meanwhile, by name or right before the name", async () => {
    const world = new SufferingGateway();
    const lines = "Wasm VM failed Failed to load Wasm bytecode\nPlugin higress-system.other failed to load";
    world.logs = async () => ((await live(world, "cors")) === undefined ? "" : lines);
    expect((await enabled(world, [plugin("cors")])).states).toEqual({ cors: "on" });
  });

  it("watches from when the gateway has it, and not from when it was asked for", async () => {
    const world = new SufferingGateway();
    const exec = world.exec.bind(world);
    let asked = 0;
    world.exec = async (query) => {
      if (query.command.some((word) => word.startsWith("stats"))) return exec(query);
      return (asked += 1) < 12 ? { exitCode: 1, stdout: "", stderr: "status code 404" } : exec(query);
    };
    const { states, seconds } = await enabled(world, [plugin("cors")], false);
    expect(states).toEqual({ cors: "on" });
    expect(seconds).toBe(10 * 2 + 30);
  });

  it("says so when it may not ask the gateway what it has", async () => {
    const world = new SufferingGateway();
    world.exec = () => Promise.resolve(undefined);
    const { states, findings } = await enabled(world, [plugin("cors")]);
    expect(states).toEqual({ cors: "on" });
    expect(findings).toMatchObject([{ code: "plugin.unseen", severity: "warning", facts: { plugin: "cors-1.0.0" } }]);
  });

  it("takes another tag for the same bytes, which changes nothing in the gateway", async () => {
    const world = new SufferingGateway();
    world.add({ ...plugin("cors"), spec: { ...plugin("cors").spec, url: "oci://harbor.test/older:1" } }, "console");
    const stdout = anEcdsDump([{ name: `${namespace}.cors-1.0.0`, type: "x/y.wasm.v3.Wasm", updated: "always" }]);
    world.exec = () => Promise.resolve({ exitCode: 0, stdout, stderr: "" });
    const { states, seconds, findings } = await enabled(world, [plugin("cors")]);
    expect([states, seconds]).toEqual([{ cors: "on" }, 90 + 30]);
    // It cannot be told from a control plane that sends nothing any more.
    expect(findings).toMatchObject([{ code: "plugin.unseen", severity: "warning" }]);
  });

  it("does not blame a plugin for what its own earlier try left in the log", async () => {
    const world = new SufferingGateway();
    world.logs = () => Promise.resolve("error wasm cannot fetch Wasm module oci://harbor.test/higress/plugins/cors:1");
    expect((await enabled(world, [plugin("cors")])).states).toEqual({ cors: "on" });
  });
});
