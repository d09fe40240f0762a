import { describe, expect, it } from "vitest";
import { isEnabled } from "../../../../src/model/wasm-plugin.ts";
import { enabled, live, plugin, SufferingGateway, type Effects } from "../../../rig/gateway/suffering.ts";
import { pick, seeded } from "../../../rig/mutate.ts";
import { aPod } from "../../../rig/pods.ts";

const crash: Effects = {
  pod: { name: "gateway-1", restarts: 1, waiting: { reason: "CrashLoopBackOff" }, ended: { exitCode: 139 } },
};
const named = (name: string): Effects => ({
  log: `${name} Wasm VM failed Failed to load Wasm bytecode\nPlugin higress-system.${name}-1.0.0 failed to load`,
});
const many = (count: number) => Array.from({ length: count }, (_, at) => `p${String(at)}`);
const run = async (world: SufferingGateway, names: readonly string[]) => {
  const done = await enabled(
    world,
    names.map((name) => plugin(name)),
  );
  const off = Object.entries(done.states).flatMap(([name, state]) => (state === "off" ? [name] : []));
  return { ...done, off };
};

describe("many plugins", () => {
  it("are switched on within four minutes, and each is watched for the whole time, twice", async () => {
    const world = new SufferingGateway();
    const { off, findings, seconds } = await run(world, many(40));
    expect([off, findings]).toEqual([[], []]);
    expect(seconds).toBe(3 * (30 + 30));
    expect(world.changes).toHaveLength(80);
  });

  it("of which the gateway blames two by name go on without these, in one more try", async () => {
    const world = new SufferingGateway({ p7: named("p7"), p9: named("p9") });
    const { off, findings, seconds } = await run(world, many(16));
    expect(off).toEqual(["p7", "p9"]);
    expect(findings).toMatchObject([
      {
        code: "plugin.switched-off",
        facts: { plugin: "p7-1.0.0", why: expect.stringMatching(/^wasm-corrupt/) as string },
      },
      {
        code: "plugin.switched-off",
        facts: { plugin: "p9-1.0.0", why: expect.stringMatching(/^wasm-corrupt/) as string },
      },
    ]);
    expect(seconds).toBeLessThan(70);
  });

  it.each<[string, Effects]>([
    ["a crash", crash],
    ["a crash under real requests", { ...crash, onlyLive: true }],
    ["a line that names nobody", { log: "error envoy wasm Failed to create new Wasm instance" }],
    ["a fetch that is only counted", { metrics: 'istio_agent_wasm_remote_fetch_count{result="download_failure"} 1' }],
    ["nothing that arrives", { has: "nothing" }],
  ])("are halved for %s until one is left", async (_what, effect) => {
    const world = new SufferingGateway({ p5: effect });
    const { off, findings } = await run(world, many(16));
    expect(off).toEqual(["p5"]);
    expect(findings).toHaveLength(1);
    for (const name of many(16)) expect(isEnabled((await live(world, name))!), name).toBe(name !== "p5");
  });

  it("go one by one where each of them breaks the gateway", async () => {
    const names = many(16);
    const world = new SufferingGateway(Object.fromEntries(names.map((name) => [name, crash])));
    const { off } = await run(world, names);
    expect(off).toEqual(names);
    const tries = world.changes.filter((change) => change.startsWith("apply"));
    // 16, 8, 4, 2, and each of them alone; halves to the end would be 80.
    expect(tries).toHaveLength(30 + 16);
  });

  it("do not get the blame for a line that only stands behind another's", async () => {
    const log =
      "error envoy wasm Wasm VM failed Failed to load Wasm bytecode\nwarn wasm log higress-system.p1-1.0.0: hello";
    const { off } = await run(new SufferingGateway({ p0: { log } }), many(4));
    expect(off).toEqual(["p0"]);
  });

  it("give way for one that was there: the version that worked comes back, and then the new one, alone", async () => {
    const world = new SufferingGateway({ p1: crash });
    const old = { ...plugin("p0", { old: true }), spec: { url: "oci://h/old:1", defaultConfig: { old: true } } };
    world.add(old, "console");
    const { off, plugins } = await run(world, many(2));
    expect(off).toEqual(["p1"]);
    expect(plugins[0]).toMatchObject({ state: "on", before: "oci://h/old:1" });
    expect((await live(world, "p0"))?.spec?.url).toBe(plugin("p0").spec?.url);
  });

  it("are all put back when the gateway does not come back, and nothing more is tried", async () => {
    const world = new SufferingGateway();
    world.list = <T>() => {
      const ready = !world.changes.some((change) => change.startsWith("apply"));
      return Promise.resolve([aPod({ app: "higress-gateway", name: "gateway-1", ready })] as T[]);
    };
    const { off, findings } = await run(world, many(20));
    expect(off).toEqual(many(16));
    expect(findings).toHaveLength(16);
    for (const name of many(16)) expect(isEnabled((await live(world, name))!)).toBe(false);
    expect(await live(world, "p16")).toBeUndefined();
  });

  it("end as each alone would, whatever is wrong with them", async () => {
    for (let at = 0; at < 12; at += 1) {
      const random = seeded(20_261_128 + at);
      const names = many(1 + Math.floor(random() * 12));
      const bad = Object.fromEntries(
        names.flatMap((name) => {
          const kinds = [crash, named(name), { has: "stand-in" as const }, { ...crash, onlyLive: true }];
          return random() < 0.2 ? [[name, pick(random, [...kinds, { has: "nothing" as const }])] as const] : [];
        }),
      );
      const { off } = await run(new SufferingGateway(bad), names);
      expect(off.sort(), `seed ${String(20_261_128 + at)}`).toEqual(Object.keys(bad).sort());
    }
  }, 120_000);
});
