import type { Deployment } from "kubernetes-types/apps/v1.js";
import { digestOf } from "../model/digest.ts";
import { finding, type Finding } from "../model/finding.ts";
import { isFetchedInside } from "../model/inside.ts";
import type { LockItem } from "../model/lock.ts";
import { MediaType } from "../model/media-type.ts";
import { ociReference, printReference } from "../model/reference.ts";
import type { OwnValues, RelocationMap } from "../model/relocation.ts";
import { misplacedFields, renderedObjects, textAt } from "../model/rendered-object.ts";
import { Site } from "../model/site.ts";
import { Entry } from "../model/bundle.ts";
import { Failure } from "../model/failure.ts";
import { checkUrls, type AskUrl } from "../stages/check/check.ts";
import type { SmallFile } from "../stages/bundle/ports.ts";
import { loadTyped, YamlError } from "../std/yaml.ts";
import { consoleUrls } from "./console-urls.ts";
import { planInstall, type InstallPlan } from "./install-plan.ts";
import { proveAll, renderAll, type OwnParts, type Rendered, type RenderPorts } from "./prove.ts";
import { insideOf } from "./wanted-plugins.ts";

/** No registry can have this name (RFC 2606): what still names another one after a render was not moved by the map. */
export const placeholder = { host: "registry.placeholder.invalid", project: "placeholder" } as const;

/** The site that a bundle is made for, as far as it is known on the connected host. */
export interface RehearsedSite extends OwnParts {
  readonly site: Site;
  readonly userValues: readonly OwnValues[];
}

export interface RehearsalPorts extends RenderPorts {
  readonly parseRelocation: (text: string, file: string) => RelocationMap;
  /** @default a placeholder for any site */
  readonly site?: RehearsedSite | undefined;
}

/** What is about to be packed. */
export interface RehearsedBundle {
  readonly version: string;
  readonly kubeVersion: string;
  /** Of the first chart. */
  readonly namespace: string | undefined;
  readonly items: readonly LockItem[];
  readonly files: readonly SmallFile[];
  /** The user's own manifests, which the site file over there will name. */
  readonly manifests: readonly SmallFile[];
}

/**
 * Everything that the air-gapped side would find without registry and cluster, by its own steps: names on the target, the
 * render with what will move it, the proof, and every plugin URL that the console can write. Nothing is downloaded for it.
 */
export async function rehearse(
  carried: RehearsedBundle,
  ports: RehearsalPorts,
  signal: AbortSignal = new AbortController().signal,
): Promise<readonly Finding[]> {
  const { site, userPlugins, ca } = siteOf(carried, ports);
  const { plan, rendered } = await planAndRender(carried, ports, signal);
  const manifests = carried.manifests.map(({ bytes }) => Buffer.from(bytes).toString("utf8"));
  const proof = proveAll(rendered, plan, site, { userPlugins: [...userPlugins, ...manifests], ca });
  const { version, mcpServer } = plan;
  const urls =
    site.plugins.mode === "none"
      ? []
      : consoleUrls(rendered.flatMap(deploymentsOf), { version, items: carried.items, mcpServer });
  const inside = insideOf(plan, site);
  // A plugin server inside answers for itself: what it has, nobody knows here.
  const answerable = urls.filter(({ url }) => !/^https?:/i.test(url) || !isFetchedInside(url, inside));
  const asked = await checkUrls({ urls: answerable, inside, ask: answers(plan), signal });
  // Which helm will install it is known inside only.
  const misplaced = rendered.flatMap(({ manifest }) => misplacedFields(renderedObjects(manifest)));
  const misfits = rendered.flatMap((each) => each.misfits);
  const findings = [...misfits, ...proof.findings, ...misplaced, ...asked];
  return ports.site === undefined ? findings.map(ofAnySite) : findings;
}

/**
 * What of it the names alone decide: where every reference of the charts lands, and whether something is pushed there. It
 * is asked first, when nothing but manifests of images was read: what is wrong then is told in seconds. What plugins there are
 * is in the console's image, so nothing is asked about them.
 */
export async function rehearseNames(
  carried: RehearsedBundle,
  ports: RehearsalPorts,
  signal: AbortSignal = new AbortController().signal,
): Promise<readonly Finding[]> {
  const { site, ca } = siteOf(carried, ports);
  const { plan, rendered } = await planAndRender(carried, ports, signal);
  const withoutPlugins = { ...site, plugins: { ...site.plugins, enable: [] } };
  const { findings } = proveAll(rendered, plan, withoutPlugins, { userPlugins: [], ca });
  return ports.site === undefined ? findings.map(ofAnySite) : findings;
}

/** An item of which only the name is known: where it goes depends on nothing else. */
export function standIn(kind: LockItem["kind"], name: string, reference: string): LockItem {
  const root = { mediaType: MediaType.ociManifest, digest: digestOf(reference), size: 0 };
  return { kind, name, reference, root, bytes: 0, platforms: [], role: "spec", aliases: [] };
}

function siteOf({ namespace }: RehearsedBundle, ports: RehearsalPorts): RehearsedSite {
  return ports.site ?? placeholderSite(namespace);
}

async function planAndRender(
  carried: RehearsedBundle,
  ports: RehearsalPorts,
  signal: AbortSignal,
): Promise<{ readonly plan: InstallPlan; readonly rendered: readonly Rendered[] }> {
  const { site, userValues } = siteOf(carried, ports);
  const bundle = inMemory(carried);
  const plan = await planInstall(bundle, site, { parseRelocation: ports.parseRelocation, userValues });
  return {
    plan,
    rendered: await renderAll(plan, bundle, ports, { offline: carried.kubeVersion, anyCluster: true, signal }),
  };
}

/** The made-up site pulls with a secret and trusts a CA of its own, so that all of a map is tried. */
function placeholderSite(namespace: string | undefined): RehearsedSite {
  const site = Site.parse({
    apiVersion: "higress-airgap/v1",
    kind: "Site",
    registry: placeholder,
    pull: { robot: true },
    cluster: namespace === undefined ? {} : { namespace },
  });
  return { site, userValues: [], userPlugins: [], ca: "PEM" };
}

/**
 * A build that knows no site file warns of what only that file decides, and does not stop: which hosts are the user's own,
 * and whether the registry has a CA that an overlay must bring to the workloads.
 */
function ofAnySite(found: Finding): Finding {
  const isOfSite = found.code === "reference.outside" || found.code === "overlay.no-target";
  return isOfSite && found.severity === "error" ? { ...found, severity: "warning" } : found;
}

/** A bundle that is not packed yet, as far as a plan reads it. */
export function inMemory({ items, version, files }: Pick<RehearsedBundle, "items" | "version" | "files">) {
  return {
    source: { name: Entry.bundle },
    document: { items, version },
    readFile(name: string): Promise<Buffer> {
      const file = files.find((each) => each.name === name);
      if (file === undefined) throw new Failure("CONTENT_MISSING", { what: name, where: Entry.bundle });
      return Promise.resolve(Buffer.from(file.bytes));
    },
  };
}

function deploymentsOf({ manifest }: Rendered): readonly Deployment[] {
  const objects = renderedObjects(manifest).filter((object) => textAt(object, "kind") === "Deployment");
  return objects;
}

/** As the registry of the site will answer after the push. */
function answers({ mapped }: InstallPlan): AskUrl {
  const digests = new Map(
    mapped.flatMap(({ item, targets }) => targets.map((target) => [printReference(target), item.root.digest] as const)),
  );
  return (url) => {
    const digest = digests.get(ociReference(url) ?? "");
    const reply =
      digest === undefined ? { state: "refused" as const, answer: "404" } : { state: "answers" as const, digest };
    return Promise.resolve(reply);
  };
}

/** CRDs go to the cluster as they are written: one that nobody can read stops the install half way. */
export function unreadableCrds(files: readonly { readonly name: string; readonly text: string }[]): readonly Finding[] {
  return files.flatMap(({ name: file, text }) =>
    faultsOf(text).map(({ where, why }) =>
      finding("error", "manifest.unreadable", { file, where, why: why.slice(0, 300) }),
    ),
  );
}

function faultsOf(text: string): readonly { readonly where: string; readonly why: string }[] {
  let documents: readonly unknown[];
  try {
    documents = loadTyped(text);
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    return [{ where: `${error.line}:${error.column}`, why: error.message }];
  }
  // Generated files end in `---`, which begins one more document: an empty one.
  const objects = documents.flatMap((document, at) =>
    document === null || document === undefined ? [] : [{ document, at }],
  );
  const nameless = objects.filter(({ document }) => !isNamed(document));
  if (nameless.length > 0)
    return nameless.map(({ at }) => ({ where: `#${at + 1}`, why: "kind, metadata.name: required" }));
  const hasCrd = objects.some(({ document }) => (document as { kind?: unknown }).kind === "CustomResourceDefinition");
  return hasCrd ? [] : [{ where: "kind", why: "no CustomResourceDefinition" }];
}

function isNamed(document: unknown): boolean {
  const { kind, metadata } = (typeof document === "object" ? document : {}) as {
    kind?: unknown;
    metadata?: { name?: unknown } | null;
  };
  return typeof kind === "string" && typeof metadata?.name === "string";
}
