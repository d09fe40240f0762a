import { describe, expect, it } from "vitest";
import type { ExecQuery, KubeQuery, LogQuery } from "../../../../src/model/kubernetes.ts";
import { isEnabled } from "../../../../src/model/wasm-plugin.ts";
import { anEcdsDump } from "../../../rig/gateway/ecds-dump.ts";
import { enabled, goodPod, live, namespace, plugin, SufferingGateway } from "../../../rig/gateway/suffering.ts";
import { aPod, type PodShape } from "../../../rig/pods.ts";

const isOfCounters = ({ command }: Pick<ExecQuery, "command">): boolean => command.some((word) => /^stats/.test(word));

describe("the watch over a plugin", () => {
  it("does not take another configuration for one that the gateway need not take", async () => {
    const world = new SufferingGateway();
    world.add(plugin("cors", { old: true }), "console");
    const stdout = anEcdsDump([{ name: `${namespace}.cors-1.0.0`, type: "x/y.wasm.v3.Wasm", updated: "always" }]);
    world.exec = () => Promise.resolve({ exitCode: 0, stdout, stderr: "" });
    const { states, findings } = await enabled(world, [plugin("cors")]);
    expect(states).toEqual({ cors: "off" });
    expect(findings).toMatchObject([{ facts: { why: "not delivered within 90 s" } }]);
    expect((await live(world, "cors"))?.spec?.defaultConfig).toEqual({ old: true });
  });

  it("does not say on of one that the gateway lost while it was watched", async () => {
    const world = new SufferingGateway();
    const exec = world.exec.bind(world);
    let dumps = 0;
    // Before, arrived, and gone again: somebody else switched it off.
    world.exec = async (query) => {
      if (isOfCounters(query)) return exec(query);
      return (dumps += 1) < 5 ? exec(query) : { exitCode: 0, stdout: anEcdsDump([]), stderr: "" };
    };
    const { states, findings } = await enabled(world, [plugin("cors")], false);
    expect(states).toEqual({ cors: "off" });
    expect(findings).toMatchObject([{ facts: { why: "not delivered within 90 s" } }]);
  });

  it("watches anew from when a pod that replaced another has it, and not for ever", async () => {
    const world = new SufferingGateway();
    const exec = world.exec.bind(world);
    let dumps = 0;
    let gone = (): boolean => dumps >= 5 && dumps < 10;
    world.exec = async (query) => {
      if (isOfCounters(query)) return exec(query);
      dumps += 1;
      return gone() ? { exitCode: 0, stdout: anEcdsDump([]), stderr: "" } : exec(query);
    };
    const once = await enabled(world, [plugin("cors")], false);
    expect([once.states, once.findings]).toEqual([{ cors: "on" }, []]);
    expect(once.seconds).toBe(8 * 2 + 30);
    gone = () => dumps % 5 === 0;
    const often = await enabled(world, [plugin("waf")], false);
    expect(often.states).toEqual({ waf: "off" });
    expect(often.seconds).toBeLessThan(200);
  });

  const pods = (...shapes: readonly PodShape[]) =>
    Promise.resolve(shapes.map((shape) => aPod({ app: "higress-gateway", ...shape })) as never[]);

  it("does not say on when one pod has it and another does not answer any more", async () => {
    const world = new SufferingGateway();
    const list = world.list.bind(world);
    world.list = <T>(query: KubeQuery) =>
      query.resource === "pods" ? pods(goodPod, { name: "gateway-2" }) : list<T>(query);
    const exec = world.exec.bind(world);
    const isOn = async () => (await live(world, "cors")) !== undefined && isEnabled((await live(world, "cors"))!);
    world.exec = async (query: ExecQuery) => (query.pod === "gateway-2" && (await isOn()) ? undefined : exec(query));
    const { states, findings } = await enabled(world, [plugin("cors")]);
    expect(states).toEqual({ cors: "off" });
    expect(findings).toMatchObject([{ facts: { why: "not delivered within 90 s" } }]);
  });

  it("says so when one of the pods that take requests may never be asked", async () => {
    const world = new SufferingGateway();
    const list = world.list.bind(world);
    world.list = <T>(query: KubeQuery) =>
      query.resource === "pods" ? pods(goodPod, { name: "gateway-2" }) : list<T>(query);
    const exec = world.exec.bind(world);
    world.exec = (query: ExecQuery) => (query.pod === "gateway-2" ? Promise.resolve(undefined) : exec(query));
    const { states, findings } = await enabled(world, [plugin("cors")]);
    expect(states).toEqual({ cors: "on" });
    expect(findings).toMatchObject([{ code: "plugin.unseen" }]);
  });

  it("is not disturbed by a pod that no node takes and one that was evicted: neither runs anything", async () => {
    const world = new SufferingGateway({ bad: { log: "Failed to load Wasm module due to a missing import: env.x" } });
    const list = world.list.bind(world);
    const idle = [
      { name: "gateway-2", unschedulable: "no free ports" },
      { name: "gateway-3", ready: false },
    ];
    world.list = async <T>(query: KubeQuery) => {
      if (query.resource !== "pods") return list<T>(query);
      const [good, waiting, evicted] = await pods(goodPod, ...idle);
      return [
        good,
        waiting,
        { ...(evicted as unknown as object), status: { phase: "Failed", reason: "Evicted" } },
      ] as T[];
    };
    const exec = world.exec.bind(world);
    world.exec = (query: ExecQuery) => (query.pod === "gateway-1" ? exec(query) : Promise.resolve(undefined));
    const { states, findings } = await enabled(world, [plugin("bad"), plugin("cors")]);
    expect(states).toEqual({ bad: "off", cors: "on" });
    expect(findings).toHaveLength(1);
    expect(world.changes.filter((change) => change.startsWith("delete"))).toEqual([]);
  });

  it("hears what is said of it among the lines of a thousand requests a second", async () => {
    const world = new SufferingGateway();
    const missing = "Failed to load Wasm module due to a missing import: env.x";
    let looks = 0;
    world.logs = async ({ tail, since }: LogQuery) => {
      const requests = (count: number) => Array.from({ length: count }, (_, at) => `{"request_id":"${looks}-${at}"}`);
      const isThere = (await live(world, "bad")) !== undefined;
      // Said once, right after it came; the node keeps all of it, and answers for the seconds that it is asked for.
      const said = isThere && (looks += 1) === 1 ? [missing, `Plugin ${namespace}.bad-1.0.0 failed`] : [];
      return [...said, ...requests(1000 * Math.min(since ?? 60, 60))].slice(-tail).join("\n");
    };
    const { states, findings } = await enabled(world, [plugin("bad")]);
    expect(states).toEqual({ bad: "off" });
    expect(findings).toMatchObject([{ facts: { why: expect.stringContaining("missing import") as string } }]);
  });

  it("says so when the log of a pod that takes requests cannot be read: a gateway that refuses says it there alone", async () => {
    const world = new SufferingGateway();
    world.logs = () => Promise.resolve(undefined);
    const { states, findings } = await enabled(world, [plugin("cors")]);
    expect(states).toEqual({ cors: "on" });
    expect(findings).toMatchObject([{ code: "plugin.unseen" }]);
  });

  it("believes that a gateway runs nothing of it when two looks in a row say so", async () => {
    const world = new SufferingGateway();
    const exec = world.exec.bind(world);
    let counted = 0;
    const another = { exitCode: 0, stdout: `wasm.${namespace}.another-1.0.0.vm_reload: 0\n`, stderr: "" };
    world.exec = (query) =>
      isOfCounters(query) && [3, 5].includes((counted += 1)) ? Promise.resolve(another) : exec(query);
    const { states, findings } = await enabled(world, [plugin("cors")], false);
    expect([states, findings]).toEqual([{ cors: "on" }, []]);
    expect(counted).toBeGreaterThan(5);
  });

  it("does not blame it for the failed fetch of the same path on another host", async () => {
    const world = new SufferingGateway();
    const line = "error wasm cannot fetch Wasm module oci://old.test/higress/plugins/cors:2.0.1: no such host";
    world.logs = async () => ((await live(world, "cors")) === undefined ? "" : line);
    expect((await enabled(world, [plugin("cors")])).states).toEqual({ cors: "on" });
  });
});
