import type { GitopsEngine } from "../model/choices.ts";
import type { KubeObject } from "../model/kubernetes.ts";
import { identityOf, type RenderedObject } from "../model/rendered-object.ts";
import { printTyped } from "../std/yaml.ts";
import type { ManifestExport } from "./export.ts";
import { byNamespace, partsOf, printParts, type ManifestPart } from "./manifest-parts.ts";

export interface GitopsOptions {
  readonly engine: GitopsEngine;
  /** Of the release; names what the engine is given. */
  readonly name: string;
  readonly namespace: string;
  /** Where the folder will be: whoever runs the engine has a repository inside. */
  readonly repository: { readonly url: string; readonly path: string };
}

export interface GitopsFolder {
  readonly files: readonly { readonly name: string; readonly text: string }[];
  /** Rendered by the chart, and kept out of what is committed. */
  readonly secrets: readonly string[];
  /** Nobody can change them, as a new version would: https://kubernetes.io/docs/concepts/workloads/controllers/job/ */
  readonly jobs: readonly { readonly name: string; readonly namespace: string }[];
}

/** In the order in which they are applied; each one is a kustomization, a sync wave and a Kustomization of Flux. */
export const gitopsPhases = ["1-namespace", "2-crds", "3-release", "4-plugins"] as const;
type GitopsPhase = (typeof gitopsPhases)[number];

/**
 * The objects of an install as a folder for whoever applies them from a repository. They are the rendered and proven ones,
 * not the chart: no engine but Flux can lay the CA over what a chart makes, and none would prove it.
 */
export function gitopsFolder(exported: ManifestExport, options: GitopsOptions): GitopsFolder {
  const { rendered, before, patches, secrets, jobs } = sorted(exported, options.namespace);
  const documents: Readonly<Record<GitopsPhase, readonly File[]>> = {
    "1-namespace": file("objects.yaml", [...exported.namespace, ...before].map(yaml)),
    "2-crds": file(
      "crds.yaml",
      onlyLast(exported.crds.flatMap(partsOf)).map(({ text }) => text),
    ),
    "3-release": rendered.flatMap(({ name, parts }) => releaseFiles(name, parts, options.namespace)),
    "4-plugins": file("plugins.yaml", exported.plugins.map(yaml)),
  };
  const used = gitopsPhases.filter((phase) => documents[phase].length > 0);
  return {
    files: [
      { name: "kustomization.yaml", text: kustomization({ resources: used }) },
      ...used.flatMap((phase, wave) =>
        phaseFiles(phase, documents[phase], phase === "3-release" ? patches.map(yaml) : [], [
          ...(options.engine === "argocd" ? [waveTransformer(phase, wave)] : []),
          ...(options.engine === "flux" && phase === "3-release" && jobs.length > 0 ? [jobTransformer] : []),
        ]),
      ),
      ...engineFiles(options, used),
      ...file(
        "secrets.yaml",
        secrets.map(({ text }) => text),
      ),
    ],
    secrets: secrets.flatMap(({ objects }) => objects.map((object) => identityOf(object).name)),
    jobs,
  };
}

/** What of an install stands in files of its own, what is laid over that, and what goes into no repository. */
function sorted(exported: ManifestExport, namespace: string) {
  const rendered = exported.releases.map(({ chart, manifest }) => {
    const parts = partsOf(manifest);
    return { name: chart.name, secrets: parts.filter(isSecret), parts: parts.filter((part) => !isSecret(part)) };
  });
  const objects = rendered.flatMap(({ parts }) => parts.flatMap((part) => part.objects));
  const placeOf = (object: RenderedObject): string => `${namespaceOf(object, namespace)}/${keyOf(object)}`;
  const made = new Set(objects.map(placeOf));
  const isPatch = (object: KubeObject): boolean => made.has(placeOf(object));
  return {
    rendered,
    before: exported.before.filter((object) => !isPatch(object)),
    patches: [...exported.before.filter(isPatch), ...exported.overlay],
    secrets: rendered.flatMap((release) => release.secrets),
    jobs: objects
      .filter((object) => identityOf(object).kind === "Job")
      .map((object) => ({ name: identityOf(object).name, namespace: namespaceOf(object, namespace) })),
  };
}

interface File {
  readonly name: string;
  readonly text: string;
}

function phaseFiles(
  phase: GitopsPhase,
  files: readonly File[],
  patches: readonly string[],
  transformers: readonly KubeObject[],
): readonly File[] {
  // A folder within stands for what is in it.
  const resources = [...new Set(files.map(({ name }) => name.split("/")[0] ?? name))];
  const patched = patches.map((text, at) => ({ name: `patch-${at + 1}.yaml`, text }));
  const all = [
    ...files,
    ...patched,
    ...transformers.map((each) => ({ name: `${each.metadata.name}.yaml`, text: printTyped(each) })),
    {
      name: "kustomization.yaml",
      text: kustomization({
        resources,
        ...(patched.length === 0 ? {} : { patches: patched.map(({ name: path }) => ({ path })) }),
        ...(transformers.length === 0
          ? {}
          : { transformers: transformers.map(({ metadata }) => `${metadata.name}.yaml`) }),
      }),
    },
  ];
  return all.map(({ name, text }) => ({ name: `${phase}/${name}`, text }));
}

/** Objects that say no namespace get it from a kustomization of their own: it would replace the namespace of the others. */
function releaseFiles(name: string, parts: readonly ManifestPart[], namespace: string): readonly File[] {
  const says = ({ objects }: ManifestPart): boolean =>
    objects.some((object) => ![undefined, "", namespace].includes(identityOf(object).namespace));
  const own = parts.filter((part) => !says(part));
  const others = [...byNamespace(parts.filter(says), namespace)];
  return [
    ...(own.length === 0
      ? []
      : [
          { name: `${name}/release.yaml`, text: printParts(own) },
          { name: `${name}/kustomization.yaml`, text: kustomization({ namespace, resources: ["release.yaml"] }) },
        ]),
    ...others.map(([into, some]) => ({ name: `${name}-in-${into}.yaml`, text: printParts(some) })),
  ];
}

function kustomization(said: object): string {
  return printTyped({ apiVersion: "kustomize.config.k8s.io/v1beta1", kind: "Kustomization", ...said });
}

/** With CRDs and the namespace go other people's objects: neither pruning nor the end of an application takes them. */
const isKept = (phase: GitopsPhase): boolean => phase === "1-namespace" || phase === "2-crds";

/**
 * On the objects alone: kustomize's `commonAnnotations` would be in pod templates, too, and roll every pod.
 * https://argo-cd.readthedocs.io/en/stable/user-guide/sync-options/
 */
function waveTransformer(phase: GitopsPhase, wave: number): KubeObject {
  const kept = { "argocd.argoproj.io/sync-options": "Prune=false,Delete=false" };
  return annotator("wave", { "argocd.argoproj.io/sync-wave": String(wave), ...(isKept(phase) ? kept : {}) });
}

/** Flux makes anew what cannot be changed: https://fluxcd.io/flux/components/kustomize/kustomizations/#controlling-the-apply-behavior-of-resources */
const jobTransformer = annotator(
  "jobs",
  { "kustomize.toolkit.fluxcd.io/force": "enabled" },
  { group: "batch", kind: "Job" },
);

function annotator(name: string, annotations: Readonly<Record<string, string>>, of: object = {}): KubeObject {
  const fieldSpecs = [{ ...of, path: "metadata/annotations", create: true }];
  return { apiVersion: "builtin", kind: "AnnotationsTransformer", metadata: { name }, annotations, fieldSpecs };
}

function engineFiles(options: GitopsOptions, phases: readonly GitopsPhase[]): readonly File[] {
  if (options.engine === "argocd") return [{ name: "argocd.yaml", text: printTyped(application(options)) }];
  if (options.engine === "flux") return file("flux.yaml", fluxObjects(options, phases).map(yaml));
  return [];
}

/** https://argo-cd.readthedocs.io/en/stable/operator-manual/declarative-setup/#applications; it knows the repository's credentials by URL. */
function application({ name, namespace, repository: { url, path } }: GitopsOptions): KubeObject {
  return {
    apiVersion: "argoproj.io/v1alpha1",
    kind: "Application",
    metadata: { name, namespace: "argocd" },
    spec: {
      project: "default",
      source: { repoURL: url, targetRevision: "HEAD", path },
      destination: { server: "https://kubernetes.default.svc", namespace },
      syncPolicy: { syncOptions: ["ServerSideApply=true"] },
    },
  };
}

/** https://fluxcd.io/flux/components/kustomize/kustomizations/: the credentials of the repository are named, and stay where they are. */
function fluxObjects({ name, repository }: GitopsOptions, phases: readonly GitopsPhase[]): readonly KubeObject[] {
  const namespace = "flux-system";
  const path = (phase: string): string => `./${[repository.path, phase].filter((part) => part !== ".").join("/")}`;
  return [
    {
      apiVersion: "source.toolkit.fluxcd.io/v1",
      kind: "GitRepository",
      metadata: { name, namespace },
      spec: { interval: "10m", url: repository.url, ref: { branch: "main" }, secretRef: { name: `${name}-git` } },
    },
    ...phases.map((phase, at): KubeObject => ({
      apiVersion: "kustomize.toolkit.fluxcd.io/v1",
      kind: "Kustomization",
      metadata: { name: `${name}-${phase}`, namespace },
      spec: {
        interval: "10m",
        path: path(phase),
        prune: !isKept(phase),
        wait: true,
        sourceRef: { kind: "GitRepository", name },
        ...(at === 0 ? {} : { dependsOn: [{ name: `${name}-${phases[at - 1] ?? ""}` }] }),
      },
    })),
  ];
}

/** The same CRD by two charts: kustomize takes one, and an install ends with the last. */
function onlyLast(parts: readonly ManifestPart[]): readonly ManifestPart[] {
  return [...new Map(parts.map((part) => [part.objects.map(keyOf).join(), part])).values()];
}

function isSecret({ objects }: ManifestPart): boolean {
  return objects.some((object) => identityOf(object).kind === "Secret");
}

function namespaceOf(object: RenderedObject, otherwise: string): string {
  const { namespace = "" } = identityOf(object);
  return namespace === "" ? otherwise : namespace;
}

function keyOf(object: RenderedObject): string {
  const { kind, name } = identityOf(object);
  return `${kind}/${name}`;
}

function yaml(object: KubeObject): string {
  return printTyped(object);
}

function file(name: string, documents: readonly string[]): readonly File[] {
  return documents.length === 0 ? [] : [{ name, text: documents.map((text) => text.trimEnd()).join("\n---\n") + "\n" }];
}
