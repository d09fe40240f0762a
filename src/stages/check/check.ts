import type { Pod } from "kubernetes-types/core/v1.js";
import pMap from "p-map";
import type { Digest } from "../../model/digest.ts";
import { finding, type Finding } from "../../model/finding.ts";
import type { ClusterPort } from "../../model/kubernetes.ts";
import { containersOf, statusesOf, troubleOf } from "../../model/pod-trouble.ts";
import { fetchHost, isFetchedInside, type Inside } from "../../model/inside.ts";
import { isEnabled, pluginLabels, wasmPluginResource, type WasmPlugin } from "../../model/wasm-plugin.ts";

/** What came for a URL: content (a registry says its digest too), a refusal, or nothing, because it cannot be asked from here. */
export type UrlAnswer =
  | { readonly state: "answers"; readonly digest?: Digest | undefined }
  | { readonly state: "refused"; readonly answer: string }
  | { readonly state: "not-asked"; readonly command: string };

/** Asks as a gateway would: with the credential that the cluster pulls with. */
export type AskUrl = (url: string, signal?: AbortSignal) => Promise<UrlAnswer>;

export interface CheckInput {
  readonly namespace: string;
  readonly inside: Inside;
  /** Digests that the bundle carries: indexes, manifests and configs. A runtime shows any of the three. */
  readonly carried: ReadonlySet<string>;
  /** Of the installed release, as helm has it stored: manifest and hooks. */
  readonly release?: string | undefined;
  /** The same proof that stood before the install, over what is stored now. */
  readonly prove?: ((yaml: string) => readonly Finding[]) | undefined;
  /** URLs that console and controller can write. */
  readonly urls: readonly UrlQuestion[];
  readonly ask: AskUrl;
  readonly signal?: AbortSignal | undefined;
}

/** Scans everything live: images and their digests, plugins, the stored release, the console's URLs. All findings. */
export async function checkCluster(input: CheckInput, port: Pick<ClusterPort, "list">): Promise<readonly Finding[]> {
  const { namespace, signal } = input;
  const [pods, plugins, urls] = await Promise.all([
    port.list<Pod>({ resource: "pods", namespace, signal }),
    port.list<WasmPlugin>({ resource: wasmPluginResource, namespace, signal }),
    checkUrls(input),
  ]);
  const proof = input.release === undefined ? [] : (input.prove?.(input.release) ?? []);
  return [
    ...pods.flatMap((pod) => checkPod(pod, input)),
    ...plugins.flatMap((plugin) => checkPlugin(plugin, input)),
    ...severalTimesOn(plugins),
    ...proof,
    ...urls,
  ];
}

function checkPod(pod: Pod, input: CheckInput): readonly Finding[] {
  const name = pod.metadata?.name ?? "";
  const outside = containersOf(pod).flatMap(({ name: container, image = "" }) =>
    outsideOf(`Pod ${name}`, `/spec/containers/${container}/image`, image, input),
  );
  const trouble = troubleOf(pod);
  const stuck =
    trouble === undefined
      ? []
      : [finding("error", "cluster.pod-stuck", { pod: name, reason: trouble.reason, message: trouble.message })];
  return [...outside, ...unknownImages(name, pod, input), ...stuck];
}

/** `imageID` is what the node really runs, whatever the tag says by now. */
function unknownImages(name: string, pod: Pod, { carried }: CheckInput): readonly Finding[] {
  return statusesOf(pod).flatMap(({ image, imageID }) => {
    const digest = /sha256:[0-9a-f]{64}/.exec(imageID)?.[0];
    if (digest === undefined || carried.has(digest)) return [];
    return [finding("warning", "cluster.image-unknown", { pod: name, image, digest })];
  });
}

function checkPlugin(plugin: WasmPlugin, input: CheckInput): readonly Finding[] {
  const url = plugin.spec?.url;
  if (url === undefined) return [];
  if (isFetchedInside(url, input.inside)) return [];
  const facts = { name: plugin.metadata.name, url };
  // What is off is not fetched; but who switches it on must know.
  return [
    isEnabled(plugin)
      ? finding("error", "cluster.leftover-plugin", facts)
      : finding("warning", "plugin.off-outside", facts),
  ];
}

/** An object for each version: what the newer bundle switched on does not replace what the owner has configured. */
function severalTimesOn(plugins: readonly WasmPlugin[]): readonly Finding[] {
  const on = new Map<string, string[]>();
  for (const { metadata } of plugins.filter(isEnabled)) {
    const plugin = metadata.labels?.[pluginLabels.name];
    if (plugin !== undefined) on.set(plugin, [...(on.get(plugin) ?? []), metadata.name]);
  }
  return [...on].flatMap(([plugin, objects]) =>
    objects.length > 1 ? [finding("warning", "plugin.several-on", { plugin, objects: objects.sort().join(", ") })] : [],
  );
}

function outsideOf(where: string, path: string, value: string, { inside }: CheckInput): readonly Finding[] {
  if (isFetchedInside(value, inside)) return [];
  return [finding("error", "reference.outside", { where, path, value, host: fetchHost(value) ?? "" })];
}

/** A URL that the console or the controller of this release can write, and whose setting makes it. */
export interface UrlQuestion {
  readonly plugin: string;
  readonly url: string;
  /** What is carried: another digest behind this URL is another plugin. */
  readonly digest: Digest;
  /** `Deployment higress-console`. */
  readonly where: string;
  /** The variable that decides, or the one that is not set. */
  readonly path: string;
}

export interface UrlInput {
  readonly urls: readonly UrlQuestion[];
  readonly inside: Inside;
  readonly ask: AskUrl;
  readonly signal?: AbortSignal | undefined;
}

const concurrency = 8;

/**
 * What users will click later must answer too. Nobody outside is asked: that a URL goes there is the finding, one for
 * each setting that makes it.
 */
export async function checkUrls({ urls, inside, ask, signal }: UrlInput): Promise<readonly Finding[]> {
  const isInside = ({ url }: UrlQuestion): boolean => isFetchedInside(url, inside);
  const askable = urls.filter((question) => isInside(question) && fetchHost(question.url) !== undefined);
  const answers = await pMap(askable, ({ url }) => ask(url, signal), { concurrency, signal });
  return [
    ...outside(urls.filter((question) => !isInside(question))),
    ...askable.flatMap((question, at) => judged(question, answers[at])),
  ];
}

function outside(questions: readonly UrlQuestion[]): readonly Finding[] {
  const bySetting = new Map(questions.map((question) => [`${question.where} ${question.path}`, question]));
  return [...bySetting.values()].map(({ where, path, url }) =>
    finding("error", "reference.outside", { where, path, value: url, host: fetchHost(url) ?? "" }),
  );
}

function judged({ plugin, url, digest }: UrlQuestion, answer: UrlAnswer | undefined): readonly Finding[] {
  if (answer === undefined) return [];
  if (answer.state === "not-asked")
    return [finding("note", "plugin.url-not-asked", { plugin, url, command: answer.command })];
  if (answer.state === "refused")
    return [finding("error", "plugin.url-unanswered", { plugin, url, answer: answer.answer })];
  if (answer.digest === undefined || answer.digest === digest) return [];
  return [finding("error", "plugin.url-unanswered", { plugin, url, answer: `${answer.digest} != ${digest}` })];
}
