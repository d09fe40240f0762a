import { describe, expect, it } from "vitest";
import { RelocationRules } from "../../../src/model/relocation-rules.ts";
import { mergeValues, splitPath, valueAt, type ChartValues, type Values } from "../../../src/model/values.ts";
import { learnMap, type LearnMapInput } from "../../../src/pipeline/learned-map.ts";

const chart: ChartValues = {
  defaults: { hub: "reg.example.com/acme", policy: "", admin: { hub: "" }, extra: false },
  read: ["hub", "policy", "admin.hub", "extra", "env"].map(splitPath),
};

/** The name of a release to that of an object. */
type Naming = (release: string) => string;
const followed: Naming = (release) => `${release}-pod`;

/** A chart as far as its render goes: two images, one more behind a switch, one that is written into the template. */
function template(values: Values, name: string): string | undefined {
  const all = mergeValues(chart.defaults, values);
  const at = (path: string): string => String(valueAt(all, splitPath(path)));
  if (at("policy") === "Broken") return undefined;
  const images = [
    `${at("hub")}/app:1`,
    `${at("admin.hub") || at("hub")}/admin:1`,
    ...(at("extra") === "true" ? [`${at("hub")}/extra:1`] : []),
    "fixed.example.com/init:1",
  ];
  const containers = images.map((image, name) => ({ name: String(name), image }));
  return JSON.stringify({ kind: "Pod", metadata: { name }, spec: { containers } });
}

const setting = (path: string, value: unknown, versions = ">=1.0.0"): RelocationRules["settings"][number] => ({
  part: "offline",
  versions,
  path,
  value,
  source: "templates/pod.yaml",
});

function learn(
  settings: RelocationRules["settings"],
  change: Partial<LearnMapInput> = {},
  naming = followed,
): ReturnType<typeof learnMap> {
  const rules = RelocationRules.parse({
    apiVersion: "higress-airgap/v1",
    kind: "RelocationRules",
    chart: "c",
    settings,
  });
  return learnMap(
    { name: "c", version: "1.2.0", values: chart, userValues: {}, release: "learn-me", rules: [rules], ...change },
    (values, release = "learn-me") => Promise.resolve(template(values, naming(release))),
  );
}

describe("a learned map", () => {
  it("takes the one value that moves most, offers what is switched off, and patches what is fixed", async () => {
    const learned = await learn([]);
    expect(learned?.map).toMatchObject({
      images: [{ path: "hub", value: "{prefix}/acme" }],
      patches: [{ kind: "Pod", name: "{release}-pod", from: "fixed.example.com/init:1", to: "{prefix}/init:1" }],
      features: [{ switches: ["extra"], references: ["reg.example.com/acme/extra:1"] }],
    });
    expect(learned?.findings.map(({ code }) => code)).toEqual(["chart.feature", "relocation.patched"]);
    expect(learned?.renders).toBeLessThan(16);
  });

  it.each<[string, Naming, string]>([
    ["follows from the release's", followed, "{release}-pod"],
    ["is fixed", () => "pod", "pod"],
    ["leaves out what the release has in it", (release) => (release.includes("c") ? release : `${release}-c`), "*"],
    ["is made up", (release) => `pod-${release.length}`, "*"],
    ["counts the revisions", (release) => `${release}-migrate-1`, "*"],
  ])("patches the object whose name %s", async (_what, naming, name) => {
    expect((await learn([], { name: "c" }, naming))?.map.patches).toMatchObject([{ kind: "Pod", name }]);
  });

  it("has the rules of its release, and no other's", async () => {
    const learned = await learn([
      setting("env.A", "x"),
      setting("policy", "Never", "<1.2.0"),
      setting("policy", "Always", ">=1.2.0 <1.3.0 || >=1.5.0"),
    ]);
    expect(learned?.map.offline).toEqual([
      { path: "env.A", value: "x" },
      { path: "policy", value: "Always" },
    ]);
    expect((await learn([setting("policy", "x", ">=1.3.0")], { version: "1.3.0-rc.1" }))?.map.offline).toEqual([]);
    expect((await learn([setting("policy", "x")], { name: "other" }))?.map.offline).toEqual([]);
  });

  it("says of a rule that the chart does not read it, or does not render with it", async () => {
    const learned = await learn([setting("podEnvs.A", "x"), setting("policy", "Broken"), setting("env.B", "y")]);
    expect(learned?.map.offline).toEqual([{ path: "env.B", value: "y" }]);
    expect(learned?.findings.slice(0, 2)).toMatchObject([
      { code: "relocation.rule-unread", severity: "warning", facts: { chart: "c 1.2.0", path: "podEnvs.A" } },
      { code: "relocation.rule-breaks", severity: "warning", facts: { path: "policy" } },
    ]);
  });

  it("is none when the chart does not render", async () => {
    const values = { ...chart, defaults: { ...chart.defaults } };
    const never = learnMap({ name: "c", version: "1.0.0", values, userValues: {}, release: "r", rules: [] }, () =>
      Promise.resolve(undefined),
    );
    expect(await never).toBeUndefined();
  });
});
