import { finding, type Finding } from "../../model/finding.ts";
import {
  isBelow,
  isScanned,
  judgedReferences,
  stringsOf,
  type DeclaredReference,
  type Inside,
  type OutsideReference,
} from "../../model/inside.ts";
import { isException, isUnpatched, type Exception, type Patch } from "../../model/relocation.ts";
import { isReference, parseReference, printReference } from "../../model/reference.ts";
import {
  imagesOf,
  itemsAt,
  podSpecOf,
  renderedObjects,
  textAt,
  whereOf,
  identityOf,
  type RenderedObject,
} from "../../model/rendered-object.ts";
import { redact } from "../../model/sanitize.ts";
import { urlPatternProblems, urlPatternVariable } from "../../model/url-pattern.ts";

export interface ProveOptions {
  readonly inside: Inside;
  /** Full references that were pushed; absent when that is not asked. */
  readonly carried?: ReadonlySet<string> | undefined;
  /** What may stay outside, with its reason. */
  readonly exceptions?: readonly Exception[] | undefined;
  /** What should have been replaced. */
  readonly patches?: readonly Patch[] | undefined;
}

export interface Proof {
  readonly findings: readonly Finding[];
  /** How much was looked at: a proof about nothing is none. */
  readonly images: number;
  readonly strings: number;
  readonly declared: readonly DeclaredReference[];
}

/** Proves that no object that is or will be applied names a place outside, and that every reference was carried. */
export function prove(all: readonly RenderedObject[], options: ProveOptions): Proof {
  const objects = all.filter(isScanned);
  const { outside, declared } = judgedReferences(objects, options.inside);
  const findings = outside.map((reference) => outsideFinding(reference, options));
  const uncarried = options.carried === undefined ? [] : objects.flatMap((object) => notCarried(object, options));
  return {
    findings: [...findings, ...uncarried, ...objects.flatMap(wrongPatterns)],
    images: objects.reduce((sum, object) => sum + imagesOf(object).length, 0),
    strings: objects.reduce((sum, object) => sum + stringsOf(object).length, 0),
    declared,
  };
}

/** Not with the login that a URL in a Secret may have. */
function shownValue(value: string): string {
  return redact(value).slice(0, 300);
}

/** Somebody may have decided that it stays: then the proof says so, and why. */
function outsideFinding(
  { where, path, value, host }: OutsideReference,
  { exceptions = [], patches = [] }: ProveOptions,
): Finding {
  const shown = { where, path, value: shownValue(value) };
  if (isUnpatched({ where, path, value }, patches)) return finding("error", "relocation.hook-unpatched", shown);
  const exception = exceptions.find((each) => isException({ where, path, value }, each));
  return exception === undefined
    ? finding("error", "reference.outside", { ...shown, host })
    : finding("warning", "reference.excepted", { ...shown, reason: exception.reason });
}

function notCarried(
  object: RenderedObject,
  { inside: { prefixes }, carried = new Set() }: ProveOptions,
): readonly Finding[] {
  const images = imagesOf(object);
  const paths = new Set(images.map(({ path }) => path));
  const named = stringsOf(object)
    .filter(({ path }) => !paths.has(path))
    .flatMap(({ path, value }) => referencesBelow(value, prefixes).map((text) => ({ path, value: text })));
  return [
    // Without a tag, what a node pulls is `latest`.
    ...images.filter(({ value }) => isBelow(value, prefixes)),
    ...named.filter(({ value }) => !isPartOf(value, carried)),
  ]
    .filter(({ value }) => !isCarried(value, carried))
    .map(({ path, value }) => finding("error", "reference.not-carried", { where: whereOf(object), path, value }));
}

/** Every reference, or beginning of one, below a prefix in a text; one with a placeholder in it is judged where it is filled in. */
function referencesBelow(text: string, prefixes: readonly string[]): readonly string[] {
  return prefixes.flatMap((prefix) =>
    text
      .split(prefix)
      .slice(1)
      .flatMap((rest) => {
        const [found = ""] = /^(?:\/[\w.-]+)*(?::[\w][\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?/.exec(rest) ?? [];
        const next = rest.slice(found.length, found.length + 2);
        return found === "" || /^\/?[${%*]/.test(next) ? [] : [`${prefix}${found}`];
      }),
  );
}

/** Without a tag it may be the first part of references whose rest stands elsewhere. */
function isPartOf(value: string, carried: ReadonlySet<string>): boolean {
  const name = value.replace(/[./-]+$/, "");
  return [...carried].some((reference) => reference.startsWith(name) && /^[/:@]/.test(reference.slice(name.length)));
}

/** A console with such a pattern writes URLs that are inside, and no plugin's. */
function wrongPatterns(object: RenderedObject): readonly Finding[] {
  const containers = itemsAt(podSpecOf(object)?.spec ?? {}, "containers");
  return containers.flatMap((container) =>
    itemsAt(container, "env")
      .filter((variable) => variable["name"] === urlPatternVariable)
      .map((variable) => textAt(variable, "value") ?? "")
      .filter((pattern) => pattern !== "")
      .flatMap((pattern) =>
        urlPatternProblems(pattern).map((why) =>
          finding("error", "plugin.pattern", { pattern: pattern.slice(0, 300), why }),
        ),
      ),
  );
}

/** A tag that is pinned by a digest as well is carried when either of its two names is. */
function isCarried(image: string, carried: ReadonlySet<string>): boolean {
  if (!isReference(image)) return false;
  const reference = parseReference(image);
  const names = [reference, { ...reference, digest: undefined }, { ...reference, tag: undefined }];
  return names
    .filter(({ tag, digest }) => tag !== undefined || digest !== undefined)
    .some((name) => carried.has(printReference(name)));
}

/** A workload whose pods would pull without credentials, and the ServiceAccount that could give them some. */
export interface WorkloadWithoutPullSecret {
  readonly workload: string;
  readonly namespace: string | undefined;
  readonly account: string;
}

/**
 * The chart has a key for some components' pull secrets and none for others (docs/facts/higress.md#pull-secrets-of-the-chart: grafana, loki, prometheus,
 * cert-manager). A secret on the ServiceAccount reaches those: admission copies it into every new pod.
 */
export function workloadsWithoutPullSecret(manifest: string): readonly WorkloadWithoutPullSecret[] {
  const objects = renderedObjects(manifest);
  const covered = new Set(objects.filter(isCoveringAccount).map(accountKey));
  return objects.flatMap((object) => {
    const pod = podSpecOf(object);
    if (pod === undefined || imagesOf(object).length === 0 || itemsAt(pod.spec, "imagePullSecrets").length > 0)
      return [];
    const { kind, name, namespace } = identityOf(object);
    const account = textAt(pod.spec, "serviceAccountName") ?? textAt(pod.spec, "serviceAccount") ?? "default";
    return covered.has(`${namespace ?? ""}/${account}`) ? [] : [{ workload: `${kind}/${name}`, namespace, account }];
  });
}

function isCoveringAccount(object: RenderedObject): boolean {
  return textAt(object, "kind") === "ServiceAccount" && itemsAt(object, "imagePullSecrets").length > 0;
}

function accountKey(object: RenderedObject): string {
  const { name, namespace } = identityOf(object);
  return `${namespace ?? ""}/${name}`;
}
