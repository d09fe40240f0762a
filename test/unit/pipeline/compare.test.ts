import { describe, expect, it } from "vitest";
import { Failure } from "../../../src/model/failure.ts";
import type { KubeObject } from "../../../src/model/kubernetes.ts";
import { renderedObjects, typedObjects } from "../../../src/model/rendered-object.ts";
import { compare, type CompareOptions } from "../../../src/pipeline/compare.ts";
import type { ManifestExport } from "../../../src/pipeline/export.ts";

const release = "higress";
const namespace = "higress-system";

const deployment = (image: string) =>
  `apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: gateway\nspec:\n  image: ${image}\n`;
const role =
  "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata:\n  name: leader\n  namespace: kube-system\n";
const plugin: KubeObject = {
  apiVersion: "extensions.higress.io/v1alpha1",
  kind: "WasmPlugin",
  metadata: { name: "key-auth", namespace },
};
const overlay: KubeObject = { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "gateway", namespace } };

const exported = (manifest: string, more: Partial<ManifestExport> = {}): ManifestExport => ({
  namespace: [{ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } }],
  before: [],
  crds: [],
  overlay: [],
  plugins: [],
  pullSecret: undefined,
  releases: [
    { chart: { release, namespace } as ManifestExport["releases"][number]["chart"], manifest, crds: [], misfits: [] },
  ],
  ...more,
});

interface Standing {
  readonly namespaces?: readonly string[];
  /** `KIND NAMESPACE NAME`. */
  readonly objects?: readonly string[];
  readonly kinds?: Readonly<Record<string, readonly string[]>>;
  readonly stored?: string;
  readonly isServerSide?: boolean;
}

/** A server that answers as the API does, and keeps what it was asked to try. */
function aServer({ namespaces = [], objects = [], stored, isServerSide = true, ...standing }: Standing) {
  const { kinds = { "apps/v1": ["Deployment"], "rbac.authorization.k8s.io/v1": ["Role"] } } = standing;
  const tried: string[] = [];
  const isThere = (into: string, { kind, metadata }: KubeObject) =>
    objects.includes(`${kind} ${into} ${metadata.name}`);
  const options: CompareOptions = {
    helm: { getManifest: () => Promise.resolve(stored ?? "") },
    installed: new Map(stored === undefined ? [] : [[release, { isServerSide }]]),
    signal: new AbortController().signal,
    cluster: {
      get: <T>({ name }: { name: string }) =>
        Promise.resolve((namespaces.includes(name) ? {} : undefined) as T | undefined),
      raw: (path) => {
        const versions = Object.keys(kinds).map((groupVersion) => ({ groupVersion }));
        const served = kinds[path.replace("/apis/", "")];
        if (path !== "/apis" && served === undefined) throw new Error(`asked for ${path}`);
        const answer = path === "/apis" ? { groups: [{ versions }] } : { resources: served?.map((kind) => ({ kind })) };
        return Promise.resolve(JSON.stringify(answer));
      },
      present: (text, { namespace: into = "" }) =>
        Promise.resolve(typedObjects(text).filter((object) => isThere(into, object))),
      dryRun: (text, { namespace: into = "" }) => {
        tried.push(...renderedObjects(text).map((object) => `${into}: ${JSON.stringify(object["kind"])}`));
        return Promise.resolve(typedObjects(text));
      },
    },
  };
  return { options, tried };
}

const found = async (given: ManifestExport, options: CompareOptions) => {
  const phases = await compare(given, options);
  return Object.fromEntries(
    phases.map(({ phase, created, changes, removed }) => [
      phase,
      { created, changes: changes.map(({ name, live }) => `${live === undefined ? "new " : ""}${name}`), removed },
    ]),
  );
};

describe("what an install would change", () => {
  it("is told before the first one, with and without a namespace, and nothing is tried of what is not there", async () => {
    const manifest = `${deployment("a")}---\n${role}`;
    const given = exported(manifest, { overlay: [overlay], plugins: [plugin] });
    for (const namespaces of [[], [namespace]]) {
      const { options, tried } = aServer({ namespaces });
      expect(await found(given, options)).toMatchObject({
        namespace: { created: namespaces.length === 0 ? [`Namespace/${namespace}`] : [] },
        release: { created: ["Deployment/gateway", "Role/leader"], changes: [] },
        overlay: { created: ["Deployment/gateway"], changes: [] },
        plugins: { created: ["WasmPlugin/key-auth"], changes: [] },
      });
      expect(tried).toEqual([]);
    }
  });

  it("is asked of the server where the object is, for each namespace by itself", async () => {
    const { options, tried } = aServer({
      namespaces: [namespace, "kube-system"],
      objects: [`Deployment ${namespace} gateway`, "Role kube-system leader"],
      stored: `${deployment("a")}---\nkind: Service\nmetadata: {name: old}\n---\nkind: Secret\nmetadata: {name: s}\n`,
    });
    expect((await found(exported(`${deployment("b")}---\n${role}`), options))["release"]).toEqual({
      created: [],
      changes: ["Deployment/gateway", "Role/kube-system/leader"],
      removed: ["Service/old"],
    });
    expect(tried).toEqual([`${namespace}: "Deployment"`, 'kube-system: "Role"']);
  });

  it("shows what is new beside what is there in full, unless its kind or its namespace is not there yet", async () => {
    const gone = role.replace("kube-system", "gone");
    const unknown = "apiVersion: new.example/v1\nkind: Thing\nmetadata:\n  name: x\n";
    const second = deployment("c").replace("gateway", "second");
    const { options } = aServer({ namespaces: [namespace], objects: [`Deployment ${namespace} gateway`], stored: "" });
    const manifest = [deployment("b"), second, gone, unknown].join("---\n");
    expect((await found(exported(manifest), options))["release"]).toEqual({
      changes: ["Deployment/gateway", "new Deployment/second"],
      created: ["Thing/x", "Role/leader"],
      removed: [],
    });
  });

  it("takes away what a client-side helm would: the API server keeps fields that nobody owns", async () => {
    const env = (...names: readonly string[]) =>
      `env: [${names.map((name) => `{name: ${name}}`).join(", ")}], args: [a]`;
    const written = (...names: readonly string[]) => `${deployment("a")}  containers: [{name: c, ${env(...names)}}]\n`;
    const stored = `${written("KEPT", "GONE")}  paused: true\n`;
    for (const isServerSide of [true, false]) {
      const { options } = aServer({
        namespaces: [namespace],
        objects: [`Deployment ${namespace} gateway`],
        stored,
        isServerSide,
      });
      // What is live has also what others added, and all that was there before.
      const [live] = typedObjects(`${written("KEPT", "GONE", "THEIRS")}  paused: true\n  theirs: 1\n`);
      const cluster = { ...options.cluster, dryRun: () => Promise.resolve(live === undefined ? [] : [live]) };
      const phases = await compare(exported(written("KEPT")), { ...options, cluster });
      const after = phases.find(({ phase }) => phase === "release")?.changes[0]?.after["spec"] as object;
      const names = JSON.stringify(after).match(/KEPT|GONE|THEIRS|paused|theirs|args/g);
      const gone = isServerSide ? ["GONE", "paused"] : [];
      expect(names?.sort()).toEqual(["KEPT", "THEIRS", "args", "theirs", ...gone].sort());
    }
  });

  it("takes no refusal for absence, whatever its words", async () => {
    const { options } = aServer({ namespaces: [namespace] });
    const output = 'admission webhook "x" denied the request: policy not found (NotFound), no matches for kind';
    const present = () => Promise.reject(new Failure("KUBECTL_FAILED", { action: "get", exit: "1", output }));
    const cluster = { ...options.cluster, present };
    await expect(compare(exported(deployment("a")), { ...options, cluster })).rejects.toThrow(/KUBECTL_FAILED/);
    const mute = { ...options.cluster, raw: () => Promise.resolve(undefined) };
    await expect(compare(exported(deployment("a")), { ...options, cluster: mute })).rejects.toThrow(/KUBECTL_FAILED/);
  });
});
