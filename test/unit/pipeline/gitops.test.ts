import { describe, expect, it } from "vitest";
import type { KubeObject } from "../../../src/model/kubernetes.ts";
import { typedObjects } from "../../../src/model/rendered-object.ts";
import { asInstalled, type ManifestExport } from "../../../src/pipeline/export.ts";
import type { GitopsEngine } from "../../../src/model/choices.ts";
import { gitopsFolder } from "../../../src/pipeline/gitops.ts";
import { runCommand } from "../../rig/command.ts";

const namespace = "higress-system";
const object = (apiVersion: string, kind: string, name: string, into?: string): KubeObject => ({
  apiVersion,
  kind,
  metadata: { name, ...(into === undefined ? {} : { namespace: into }) },
});
const manifest = [
  "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: gateway\nspec:\n  mode: 0644\n",
  "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: gateway\n",
  "apiVersion: v1\nkind: Secret\nmetadata:\n  name: console\nstringData:\n  password: pl4nted\n",
  "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata:\n  name: leader\n  namespace: kube-system\n",
].join("---\n");
const crd = (more: string) =>
  `apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: a.b\nspec: {group: ${more}}\n`;
const exported: ManifestExport = {
  namespace: [object("v1", "Namespace", namespace)],
  before: [
    object("v1", "ConfigMap", "ca", namespace),
    object("v1", "ServiceAccount", "gateway", namespace),
    object("v1", "ServiceAccount", "default", namespace),
  ],
  crds: [crd("old"), crd("new")],
  releases: [
    { chart: { name: "higress" } as ManifestExport["releases"][number]["chart"], manifest, crds: [], misfits: [] },
  ],
  overlay: [object("apps/v1", "Deployment", "gateway", namespace)],
  plugins: [object("extensions.higress.io/v1alpha1", "WasmPlugin", "key-auth", namespace)],
  pullSecret: "pull",
};
const folder = (engine: GitopsEngine, over: Partial<ManifestExport> = {}) => {
  const repository = { url: "https://git.example/platform.git", path: "one/higress" };
  return gitopsFolder({ ...exported, ...over }, { engine, name: "higress", namespace, repository });
};
const filesOf = (engine: GitopsEngine, over?: Partial<ManifestExport>) =>
  new Map(folder(engine, over).files.map(({ name, text }) => [name, text]));
const read = (text = "") => typedObjects(text) as readonly Record<string, unknown>[];

describe("a folder for who applies from a repository", () => {
  it("has each object once: what is laid over a rendered one is a patch of it", () => {
    const files = filesOf("kustomize");
    expect(read(files.get("kustomization.yaml"))).toMatchObject([
      { resources: ["1-namespace", "2-crds", "3-release", "4-plugins"] },
    ]);
    expect(read(files.get("1-namespace/objects.yaml")).map(({ kind }) => kind)).toEqual([
      "Namespace",
      "ConfigMap",
      "ServiceAccount",
    ]);
    expect(read(files.get("2-crds/crds.yaml"))).toMatchObject([{ spec: { group: "new" } }]);
    const [release] = read(files.get("3-release/kustomization.yaml"));
    expect(release).toEqual({
      apiVersion: "kustomize.config.k8s.io/v1beta1",
      kind: "Kustomization",
      resources: ["higress", "higress-in-kube-system.yaml"],
      patches: [{ path: "patch-1.yaml" }, { path: "patch-2.yaml" }],
    });
    expect(read(files.get("3-release/higress/kustomization.yaml"))).toMatchObject([{ namespace }]);
    expect(files.get("3-release/higress/release.yaml")).toContain("mode: 0644");
    expect([...files.keys()].filter((name) => /argocd|flux|wave/.test(name))).toEqual([]);
  });

  it("keeps Secrets out of what is committed", () => {
    const { files, secrets } = folder("argocd");
    expect(secrets).toEqual(["console"]);
    expect(files.filter(({ text }) => text.includes("pl4nted")).map(({ name }) => name)).toEqual(["secrets.yaml"]);
    expect(files.filter(({ text }) => text.includes("secrets.yaml"))).toEqual([]);
  });

  it("is one Application with a wave for each part, or a chain of Kustomizations", () => {
    const argocd = filesOf("argocd");
    expect(read(argocd.get("argocd.yaml"))).toMatchObject([
      { kind: "Application", spec: { source: { path: "one/higress" } } },
    ]);
    const waves = ["1-namespace", "2-crds", "3-release", "4-plugins"].map(
      (part) => read(argocd.get(`${part}/wave.yaml`))[0],
    );
    expect(waves.map((wave) => wave?.["annotations"])).toEqual(
      ["0", "1", "2", "3"].map((wave) => ({
        "argocd.argoproj.io/sync-wave": wave,
        // With these would go what others have in them.
        ...(wave < "2" ? { "argocd.argoproj.io/sync-options": "Prune=false,Delete=false" } : {}),
      })),
    );
    const [source, ...parts] = read(filesOf("flux", { plugins: [], crds: [] }).get("flux.yaml"));
    expect(source).toMatchObject({ kind: "GitRepository", spec: { secretRef: { name: "higress-git" } } });
    expect(parts.map(({ spec }) => spec)).toMatchObject([
      { path: "./one/higress/1-namespace", prune: false },
      { path: "./one/higress/3-release", prune: true, dependsOn: [{ name: "higress-1-namespace" }] },
    ]);
  });
});

describe("what Helm runs as a hook", () => {
  const hook = (kind: string, name: string, when: string) =>
    `apiVersion: batch/v1\nkind: ${kind}\nmetadata:\n  name: ${name}\n  annotations: {helm.sh/hook: "${when}"}\n`;
  const [release] = exported.releases;
  const more = [release!.manifest, hook("Job", "migrate", "pre-install,pre-upgrade"), hook("Pod", "look", "test")];
  const named = { ...release!, chart: { ...release!.chart, release: "higress", namespace } };
  const releases = [asInstalled({ ...named, manifest: more.join("---\n") })];

  it("is made anew by who cannot change it, and what only helm test makes is made by nobody", () => {
    const flux = filesOf("flux", { releases });
    expect(flux.get("3-release/higress/release.yaml")).toContain("name: migrate");
    expect([...flux.values()].filter((text) => text.includes("name: look"))).toEqual([]);
    expect(read(flux.get("3-release/jobs.yaml"))).toMatchObject([
      {
        annotations: { "kustomize.toolkit.fluxcd.io/force": "enabled" },
        fieldSpecs: [{ kind: "Job", path: "metadata/annotations" }],
      },
    ]);
    expect(read(flux.get("3-release/kustomization.yaml"))).toMatchObject([{ transformers: ["jobs.yaml"] }]);
    expect(filesOf("flux").has("3-release/jobs.yaml")).toBe(false);
    expect(folder("kustomize", { releases }).jobs).toEqual([{ name: "migrate", namespace }]);
  });
});

describe("render --for", () => {
  it.each([
    ["--for argocd", ["--for", "argocd", "--repo-url", "https://git.example/a.git"]],
    ["--repo-url", ["--for", "flux", "--out", "x"]],
    ["--repo-url user:***@", ["--for", "flux", "--out", "x", "--repo-url", "https://me:pl4nted@git.example/a.git"]],
    ["--repo-url user:***@", ["--for", "flux", "--out", "x", "--repo-url", "https://ghp_pl4nted@git.example/a.git"]],
    [
      "--repo-path ../a",
      ["--for", "flux", "--out", "x", "--repo-url", "https://git.example/a.git", "--repo-path", "../a"],
    ],
  ])("is refused with %s, before a bundle is opened", async (what, flags) => {
    await expect(runCommand(["render", "absent.tar", "--site", "absent.yaml", ...flags])).rejects.toMatchObject({
      code: "USAGE",
      facts: { what },
    });
  });
});
