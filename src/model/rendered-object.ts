import { loadStrings, loadTypedLoosely, YamlError, type Documents } from "../std/yaml.ts";
import { Failure } from "./failure.ts";
import { finding, type Finding } from "./finding.ts";
import type { KubeObject } from "./kubernetes.ts";

/**
 * A Kubernetes object as it was written, every scalar a string: read to be looked at, never to be printed again (no
 * JavaScript schema reads `0644` as Kubernetes does).
 */
export type RenderedObject = Readonly<Record<string, unknown>>;

/** The objects of a multi-document YAML or JSON text; lists are opened. @throws Failure MANIFEST_INVALID */
export function renderedObjects(text: string, what = "manifest"): readonly RenderedObject[] {
  return renderedDocuments(text, what).filter(isMap).flatMap(open);
}

/** As they stand, empty ones included. @throws Failure MANIFEST_INVALID */
export function renderedDocuments(text: string, what = "manifest"): Documents {
  return read(loadStrings, text, what);
}

/** The objects with numbers and truths as YAML 1.2 has them, to be looked at. @throws Failure MANIFEST_INVALID */
export function typedObjects(text: string, what = "manifest"): readonly KubeObject[] {
  return read(loadTypedLoosely, text, what).filter((document): document is KubeObject => isMap(document));
}

function read(load: (text: string) => Documents, text: string, what: string): Documents {
  try {
    return load(text);
  } catch (cause) {
    if (!(cause instanceof YamlError)) throw cause;
    throw new Failure("MANIFEST_INVALID", { what, why: `${cause.line}:${cause.column} ${cause.message}` });
  }
}

function open(document: RenderedObject): readonly RenderedObject[] {
  return listedItems(document)?.filter(isMap) ?? [document];
}

/** What a list of objects holds, as it is written; `undefined` for an object. */
export function listedItems(document: RenderedObject): readonly unknown[] | undefined {
  const items = document["items"];
  return textAt(document, "kind")?.endsWith("List") === true && Array.isArray(items) ? items : undefined;
}

export function isMap(value: unknown): value is RenderedObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The map at `path`; empty when there is none, so that a walk needs no questions on its way. */
export function mapAt(object: RenderedObject, ...path: readonly string[]): RenderedObject {
  return path.reduce<RenderedObject>((at, key) => {
    const next = at[key];
    return isMap(next) ? next : {};
  }, object);
}

export function itemsAt(object: RenderedObject, key: string): readonly RenderedObject[] {
  const items = object[key];
  return Array.isArray(items) ? items.filter(isMap) : [];
}

export function textAt(object: RenderedObject, key: string): string | undefined {
  const value = object[key];
  return typeof value === "string" && value !== "" && value !== "null" ? value : undefined;
}

/** `Deployment/higress-system/higress-gateway`; the namespace is left out where the object says none. */
export function whereOf(object: RenderedObject): string {
  const { kind, name, namespace } = identityOf(object);
  return [kind, namespace, name].filter((part) => part !== undefined).join("/");
}

/** `apps/v1 Deployment`. */
export function versionedKind(object: RenderedObject): string {
  return `${textAt(object, "apiVersion") ?? ""} ${identityOf(object).kind}`;
}

export function identityOf(object: RenderedObject): { kind: string; name: string; namespace: string | undefined } {
  const metadata = mapAt(object, "metadata");
  return {
    kind: textAt(object, "kind") ?? "?",
    name: textAt(metadata, "name") ?? textAt(metadata, "generateName") ?? "?",
    namespace: textAt(metadata, "namespace"),
  };
}

const template = ["spec", "template", "spec"] as const;
const podPaths: Readonly<Record<string, readonly string[]>> = {
  Pod: ["spec"],
  PodTemplate: ["template", "spec"],
  Deployment: template,
  DaemonSet: template,
  StatefulSet: template,
  ReplicaSet: template,
  ReplicationController: template,
  Job: template,
  CronJob: ["spec", "jobTemplate", "spec", "template", "spec"],
};

/** `helm test` alone makes what is a hook of nothing but tests; no install does. */
export function isInstalled(object: RenderedObject): boolean {
  const hook = textAt(mapAt(object, "metadata", "annotations"), "helm.sh/hook");
  return hook === undefined || hook.split(",").some((each) => !/^\s*test(?:-success|-failure)?\s*$/.test(each));
}

/** The pod spec of a workload and where it stands; `undefined` for every other kind. */
export function podSpecOf(
  object: RenderedObject,
): { readonly path: string; readonly spec: RenderedObject } | undefined {
  const path = podPaths[textAt(object, "kind") ?? ""];
  return path === undefined ? undefined : { path: `/${path.join("/")}`, spec: mapAt(object, ...path) };
}

/** A string and where it stands: a JSON pointer, with `!` where it enters a document inside a string. */
export interface Placed {
  readonly path: string;
  readonly value: string;
  /** What it is the value of, where that is not the end of the path: the name of a variable, the flag before it. */
  readonly key?: string | undefined;
}

/** Every image that the kubelet would pull for this object. */
export function imagesOf(object: RenderedObject): readonly Placed[] {
  const pod = podSpecOf(object);
  if (pod === undefined) return [];
  const containers = ["initContainers", "containers", "ephemeralContainers"].flatMap((list) =>
    itemsAt(pod.spec, list).map((container, at) => ({
      path: `${pod.path}/${list}/${at}/image`,
      from: container,
      key: "image",
    })),
  );
  const volumes = itemsAt(pod.spec, "volumes").map((volume, at) => ({
    path: `${pod.path}/volumes/${at}/image/reference`,
    from: mapAt(volume, "image"),
    key: "reference",
  }));
  return [...containers, ...volumes].flatMap(({ path, from, key }) => {
    const value = textAt(from, key);
    return value === undefined ? [] : [{ path, value }];
  });
}

/**
 * What a container has and a pod has not (k8s.io/api core/v1, Container and PodSpec): what a chart that is indented wrongly
 * writes beside `containers`. Higress 2.2.1 and 2.2.2 do it with `imagePullPolicy`. Neither `helm template` nor its dry run on
 * the server sees it.
 */
const containerOnly: ReadonlySet<string> = new Set([
  ...["image", "imagePullPolicy", "command", "args", "workingDir", "env", "envFrom", "ports", "volumeMounts"],
  ...["volumeDevices", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle", "resizePolicy"],
  ...["terminationMessagePath", "terminationMessagePolicy", "stdin", "stdinOnce", "tty"],
]);

/** An API server refuses such a field when it is applied there, and drops it otherwise. */
export function misplacedFields(objects: readonly RenderedObject[]): readonly Finding[] {
  return objects.flatMap((object) => {
    const pod = podSpecOf(object);
    return Object.keys(pod?.spec ?? {})
      .filter((field) => containerOnly.has(field))
      .map((field) =>
        finding("warning", "workload.field-misplaced", {
          where: whereOf(object),
          path: `${pod?.path ?? ""}/${field}`,
          field,
        }),
      );
  });
}
