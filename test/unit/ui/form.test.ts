import { describe, expect, it } from "vitest";
import { siteForm, type Form } from "../../../src/ui/form.ts";

const form: Form = {
  bundle: "higress 2.2.4",
  id: "a".repeat(64),
  bytes: 4e9,
  platforms: ["linux/arm64"],
  kubeVersion: "1.30.0",
  host: "harbor.corp",
  project: "higress",
  pushed: 3e9,
  largestBlob: 2e8,
  names: ["harbor.corp/higress/gateway:2.2.4"],
  creates: false,
  robot: false,
  secret: "higress-airgap-pull",
  ca: true,
  plainHttp: false,
  namespace: "higress-system",
  release: "higress",
  inside: [],
  plugins: [],
  pluginsFrom: undefined,
  roles: "kind: ClusterRole\n",
  rolesFile: "installer-role.yaml",
};

describe.each(["en", "zh"] as const)("the form in %s", (language) => {
  const page = (site: Partial<Form>): string => siteForm({ ...form, ...site }, language);
  const words = {
    create: { en: "We create the project ourselves", zh: "项目由我们创建" },
    robot: { en: "`pull.robot: true`", zh: "`pull.robot: true`" },
    pull: { en: "An account that pulls", zh: "拉取账号，供" },
    ca: { en: "must trust the CA of `harbor.corp`", zh: "须信任 `harbor.corp` 的 CA" },
    plain: { en: "`harbor.corp` speaks plain HTTP", zh: "`harbor.corp` 使用明文 HTTP" },
    plugins: { en: "pods of the gateway → `plugins.corp:80`", zh: "网关 Pod → `plugins.corp:80`" },
    own: { en: "your own: sso.corp", zh: "照旧：sso.corp" },
  };

  it.each<[string, Partial<Form>, readonly (keyof typeof words)[]]>([
    ["that leaves all of it to the administrators", {}, ["pull", "ca"]],
    ["that creates its project", { creates: true }, ["create", "pull", "ca"]],
    ["whose robot we make", { robot: true }, ["robot", "ca"]],
    ["without TLS", { plainHttp: true }, ["pull", "plain"]],
    ["whose system trusts the CA already", { ca: false }, ["pull"]],
    ["with plugins from a web server", { pluginsFrom: "plugins.corp:80" }, ["pull", "ca", "plugins"]],
    ["with hosts of its own", { inside: ["sso.corp"] }, ["pull", "ca", "own"]],
  ])("asks of a site %s for that and nothing else", (_what, site, asked) => {
    const text = page(site);
    const found = Object.entries(words).filter(([, each]) => text.includes(each[language]));
    expect(found.map(([name]) => name).toSorted()).toEqual([...asked].toSorted());
    expect(text).not.toMatch(/\{\w+\}|undefined/);
  });

  it("names the port that a firewall opens", () => {
    expect(page({})).toContain("`harbor.corp:443`");
    expect(page({ plainHttp: true })).toContain("`harbor.corp:80`");
    expect(page({ host: "harbor.corp:8443" })).toContain("`harbor.corp:8443`");
  });
});
