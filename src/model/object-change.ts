import type { KubeObject } from "./kubernetes.ts";
import { isMap, type RenderedObject } from "./rendered-object.ts";

const secret =
  /pass|pwd|secret|token|credential|private|auth(?!ority)|jwks|密码|口令|密钥|令牌|(^|[^a-z])(keys?|iv|dsn|pw|ak|sk|bearer)(_?\d+)?$|[a-z](Keys?|KEY|Pw|PW)(_?\d+)?$/i;

/** Whether the value behind a key of this name is likely to be a secret. */
export function isSecretName(name: string): boolean {
  return secret.test(name);
}

/** An object as it is, and as it would be. */
export interface ObjectChange {
  /** `Deployment/higress-system/higress-gateway`. */
  readonly name: string;
  /** Absent: it is not there yet. */
  readonly live?: KubeObject | undefined;
  readonly after: KubeObject;
}

/** What a server or kubectl writes into every object by itself, and nobody means. */
const ownOfServer = ["uid", "creationTimestamp", "resourceVersion", "generation", "managedFields", "selfLink"];
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration";

/**
 * Both sides as people may read them: without what the server writes by itself, and with secrets masked, so that a change
 * of one shows as a change and as nothing more. A side that is absent is `undefined`.
 */
export function readable({ live, after }: ObjectChange): readonly [RenderedObject | undefined, RenderedObject] {
  const [then, now] = masked(live === undefined ? undefined : meant(live), meant(after), "");
  return [live === undefined ? undefined : (then as RenderedObject), now as RenderedObject];
}

function meant(object: KubeObject): RenderedObject {
  const members = Object.entries(object).filter(([key]) => key !== "status");
  return Object.fromEntries(members.map(([key, value]) => [key, key === "metadata" ? meantMetadata(object) : value]));
}

function meantMetadata({ metadata: { annotations = {}, ...others } }: KubeObject): RenderedObject {
  const said = Object.entries(annotations).filter(([key]) => key !== lastApplied);
  return {
    ...(said.length === 0 ? {} : { annotations: Object.fromEntries(said) }),
    ...Object.fromEntries(Object.entries(others).filter(([key]) => !ownOfServer.includes(key))),
  };
}

/** Where values are secrets: of a Secret all, of a plugin those whose name says so. */
const secretPlaces: Readonly<Record<string, RegExp>> = {
  Secret: /^\/(data|stringData)\//,
  WasmPlugin: /^\/spec\/(defaultConfig|pluginConfig|matchRules\/\d+\/config)\//,
};

function isSecretAt(path: string, kind: string): boolean {
  if (secretPlaces[kind]?.test(path) !== true) return false;
  return kind === "Secret" || path.split("/").some(isSecretName);
}

function masked(then: unknown, now: unknown, path: string, kind = kindIn(now)): readonly [unknown, unknown] {
  if (typeof then === "object" || typeof now === "object") return maskedWithin(then, now, path, kind);
  if (!isSecretAt(path, kind)) return [then, now];
  if (then === now || then === undefined || now === undefined) return [hidden(then, "***"), hidden(now, "***")];
  return ["*** (before)", "*** (after)"];
}

function hidden(value: unknown, mask: string): unknown {
  return value === undefined ? undefined : mask;
}

function maskedWithin(then: unknown, now: unknown, path: string, kind: string): readonly [unknown, unknown] {
  const keys = new Set([...keysOf(then), ...keysOf(now)]);
  const pairs = [...keys].map(
    (key) => [key, masked(memberOf(then, key), memberOf(now, key), `${path}/${key}`, kind)] as const,
  );
  const side = (value: unknown, at: 0 | 1): unknown => {
    if (typeof value !== "object" || value === null) return isSecretAt(path, kind) ? hidden(value, "***") : value;
    const own = pairs.filter(([key]) => key in value).map(([key, pair]) => [key, pair[at]] as const);
    return Array.isArray(value) ? own.map(([, member]) => member) : Object.fromEntries(own);
  };
  return [side(then, 0), side(now, 1)];
}

function keysOf(value: unknown): readonly string[] {
  return typeof value === "object" && value !== null ? Object.keys(value) : [];
}

function memberOf(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>)[key] : undefined;
}

function kindIn(object: unknown): string {
  return isMap(object) && typeof object["kind"] === "string" ? object["kind"] : "";
}

/** By what entries of a list are the same entry, where they have it: as Kubernetes merges containers, mounts and ports. */
const entryKeys = ["name", "mountPath", "containerPort", "port"] as const;

/**
 * `after` without what stood in the manifest before and no longer does. Helm 3 takes such fields away by comparing the two
 * manifests, and owns nothing by server-side apply, so that a dry run of that keeps them.
 * https://helm.sh/docs/faq/changes_since_helm2/#improved-upgrade-strategy-3-way-strategic-merge-patches
 */
export function withoutDropped<T>(after: T, stored: unknown, rendered: unknown): T {
  if (isMap(after) && isMap(stored) && isMap(rendered)) return fromMap(after, stored, rendered) as T;
  if (Array.isArray(after) && Array.isArray(stored) && Array.isArray(rendered))
    return fromList(after, stored, rendered) as T;
  return after;
}

function fromMap(after: RenderedObject, stored: RenderedObject, rendered: RenderedObject): RenderedObject {
  const kept = Object.entries(after).filter(([key]) => !(key in stored) || key in rendered);
  return Object.fromEntries(kept.map(([key, value]) => [key, withoutDropped(value, stored[key], rendered[key])]));
}

function fromList(
  after: readonly unknown[],
  stored: readonly unknown[],
  rendered: readonly unknown[],
): readonly unknown[] {
  const key = entryKeys.find((each) => [...after, ...stored].every((entry) => isMap(entry) && each in entry));
  // Without a key the list is one value, and the API server has replaced it.
  if (key === undefined) return after;
  const named = (entries: readonly unknown[]): ReadonlyMap<string, unknown> =>
    new Map(entries.filter(isMap).map((entry) => [String(entry[key]), entry]));
  const [then, now] = [named(stored), named(rendered)];
  return after.filter(isMap).flatMap((entry) => {
    const name = String(entry[key]);
    return then.has(name) && !now.has(name) ? [] : [withoutDropped(entry, then.get(name), now.get(name))];
  });
}
