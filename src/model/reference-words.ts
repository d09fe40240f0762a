import { loadStrings, YamlError } from "../std/yaml.ts";
import type { Placed } from "./rendered-object.ts";

/** A part of a string that names something to be fetched. `key` is the key or flag that it is the value of. */
export interface ReferenceWord {
  readonly kind: "url" | "image" | "registry";
  readonly text: string;
  /** With its port, in lower case; empty for `nginx:1.25`, which is Docker Hub's by convention. */
  readonly host: string;
}

/** Registries that everybody means by their name. Without a tag these are still references: `--hub=docker.io/istio`. */
const publicRegistries =
  /(?<![\w.-])(?:[\w-]+\.)*(?:aliyuncs\.com|docker\.io|docker\.com|quay\.io|gcr\.io|ghcr\.io|registry\.k8s\.io|pkg\.dev|mcr\.microsoft\.com|public\.ecr\.aws|amazonaws\.com|nvcr\.io|daocloud\.io|myhuaweicloud\.com|tencentcloudcr\.com|ccs\.tencentyun\.com)(?![\w-]|\.\w)(?::\d+)?/gi;

/** What somebody fills in later: `${name}`, `$(NAME)`, `{{ .name }}`, `{name}`. It ends no host: `https://${region}.vendor.example`. */
const variable = String.raw`\$\{[^\s{}]{0,80}\}|\$\([^\s()]{0,80}\)|\{\{[^{}]{0,80}\}\}|\{[^\s{}]{0,80}\}`;
const variables = new RegExp(variable, "g");

/** A scheme has an end: of a long text that could be one, each of its places would be gone over to the last. */
const urls = new RegExp(
  String.raw`\b([a-z][a-z0-9+.-]{0,30})://` +
    String.raw`((?:[^\s/"'\x60<>\\)\]},;|?#[]*@)?\[[0-9a-f:.]+\](?::\d+)?|(?:${variable}|[^\s/"'\x60<>\\)\]},;|?#])*)` +
    String.raw`([^\s"'\x60<>\\)\]},;|]*)`,
  "gi",
);

/**
 * The host with a letter for each variable, since what stands behind one stays whatever it becomes; `undefined` where it
 * decides where the host is: `${host}`, `10.0.0.$(N)`.
 */
export function filledHost(host: string): string | undefined {
  // The `%s` of printf, and Envoy's `%REQ(...)%`.
  const filled = host.replaceAll(variables, "$");
  const last = filled.slice(filled.lastIndexOf(".") + 1);
  return /[${%]/.test(last) ? undefined : filled.replaceAll(/[${%]\w*/g, "x");
}

/** A host (dot or port), a path, and a tag or a digest. */
const images =
  /(?<![\w./@:-])((?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z0-9-]+(?::\d+)?|localhost:\d+|[a-z0-9-]+:\d+)\/[a-z0-9][\w./-]*(?::\w[\w.-]{0,127}(?:@sha256:[0-9a-f]{64})?|@sha256:[0-9a-f]{64})(?![\w/])/gi;

/** Where the key says "image", a name without a host is one too. */
const bareImage =
  /^[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:\/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*(?::\w[\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$/;

/** Schemes that fetch nothing over a network, and URLs that are only names: identifiers of XML and JSON vocabularies. */
const localSchemes: ReadonlySet<string> = new Set(["file", "unix", "k8s", "spiffe", "kubernetes"]);
const vocabularies: ReadonlySet<string> = new Set(["www.w3.org", "json-schema.org", "schemas.xmlsoap.org"]);

export interface WordContext {
  readonly path?: string | undefined;
  /** What the text is the value of, where the end of the path does not say it. */
  readonly key?: string | undefined;
  /** Hosts that are known to be registries: what begins with one is a reference, with or without a tag. */
  readonly registries?: readonly string[] | undefined;
}

/** Everything in `text` that names a place to fetch from, each part of the text at most once. */
export function referenceWords(
  text: string,
  { path = "", key = path, registries = [] }: WordContext = {},
): readonly ReferenceWord[] {
  const words: ReferenceWord[] = [];
  let rest = take(text, urls, (match) => {
    const [whole, scheme = "", host = ""] = match;
    const name = userless(host).toLowerCase();
    if (!localSchemes.has(scheme.toLowerCase()) && !vocabularies.has(name))
      words.push({ kind: "url", text: whole, host: name });
  });
  rest = take(rest, images, ([whole, host = ""]) =>
    words.push({ kind: "image", text: whole, host: host.toLowerCase() }),
  );
  rest = take(rest, publicRegistries, ([whole]) =>
    words.push({ kind: "registry", text: whole, host: whole.toLowerCase() }),
  );
  for (const host of registries.filter((each) => /[.:]/.test(each) && rest.toLowerCase().includes(each.toLowerCase())))
    rest = take(rest, belowHost(host), ([whole]) =>
      words.push({ kind: "registry", text: whole, host: host.toLowerCase() }),
    );
  const bare = bareImagesIn(rest, key);
  if (bare.length > 0) return [...words, ...bare.map((each) => ({ kind: "image", text: each, host: "" }) as const)];
  const split = splitReferenceIn(rest, path);
  return split === undefined ? words : [...words, split];
}

/** Calls `found` for each match and blanks it out, so that a URL's path is not found again as an image. */
function take(text: string, pattern: RegExp, found: (match: RegExpExecArray) => void): string {
  return text.replace(pattern, (...args: unknown[]) => {
    found(args as unknown as RegExpExecArray);
    return " ".repeat(String(args[0]).length);
  });
}

function belowHost(host: string): RegExp {
  const literal = host.replaceAll(/[^\w-]/g, String.raw`\$&`);
  return new RegExp(String.raw`(?<![\w.@/-])${literal}(?::\d{1,5})?(?![\w-]|\.\w)(?:/[\w-]+(?:[./]+[\w-]+)*)?`, "gi");
}

export function userless(authority: string): string {
  return authority.slice(authority.lastIndexOf("@") + 1);
}

/** `repository:` beside `tag:`, `hub:`, `imageRegistry:`: the first part of a reference whose rest stands elsewhere. */
const splitKey = /(?:^|[/!._-])(?:hub|registry|repository|imageRegistry|imageRepository|imageHub)$/i;
const splitValue =
  /^((?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*(?::\d{1,5})?|[a-z0-9.-]+:\d{1,5})(?:\/[\w./-]*)?$/i;

function splitReferenceIn(text: string, path: string): ReferenceWord | undefined {
  const value = text.trim();
  if (!splitKey.test(path)) return undefined;
  const host = splitValue.exec(value)?.[1];
  return host === undefined ? undefined : { kind: "registry", text: value, host: host.toLowerCase() };
}

/** An image of which the parts stand side by side, at the place of its repository. */
export interface SplitImage extends Placed {
  readonly reference: string;
  readonly isHosted: boolean;
}

/**
 * `{ registry, repository, tag, digest }`, as custom resources and values inside ConfigMaps have it. Without a registry it is
 * Docker Hub's when the key above says that it is an image.
 */
export function splitImages(strings: readonly Placed[]): readonly SplitImage[] {
  const families = new Map<string, Map<string, Placed>>();
  for (const placed of strings) {
    const [, parent = "", key = ""] = /^(.*)\/([^/]*)$/.exec(placed.path) ?? [];
    const family = families.get(parent) ?? new Map<string, Placed>();
    families.set(parent, family.set(key.replace(/^image(?=[A-Z])/, "").toLowerCase(), placed));
  }
  return [...families].flatMap(([parent, family]) => {
    const at = (key: string): string => family.get(key)?.value.trim() ?? "";
    const repository = family.get("repository");
    const ending = `${at("tag") === "" ? "" : `:${at("tag")}`}${at("digest") === "" ? "" : `@${at("digest")}`}`;
    if (repository === undefined || ending === "") return [];
    const name = `${at("registry") === "" ? "" : `${at("registry")}/`}${repository.value.trim()}`;
    const isHosted = splitValue.test(name);
    const isImage = isHosted || (/image$/i.test(parent) && bareImage.test(`${name}${ending}`));
    return isImage ? [{ ...repository, reference: `${name}${ending}`, isHosted }] : [];
  });
}

/** `AGENT_IMAGE=agent:1` and `agent.image: "agent:1"`, in a text of many such lines or of one word. */
const imageLine =
  /^[ \t]*(?:export +)?["']?[\w.-]*image["']?[ \t]*[=:][ \t]*["']?([a-z0-9][\w./-]*[:@][\w.:-]+)["']?[,;]?[ \t\r]*$/gim;

/** `kubectl run x --image=acme/x:1`, in a script or alone. */
const imageFlag = /(?<![\w-])--(?:[\w-]{0,60}-)?image(?:=| {1,4})["']?([a-z0-9][\w./-]*[:@][\w.:-]+)/gi;

/** A key that says "image", or, as operators call what they will make pods of, `RELATED_IMAGE_REDIS`. */
const imageKey = /image$|(?:^|[/_])related_image_\w{1,100}$/i;

/** `envoy:v1` behind a flag, in a line, or under a key that says that it is an image. */
function bareImagesIn(text: string, key: string): readonly string[] {
  const named = [imageLine, imageFlag].flatMap((form) => [...text.matchAll(form)].map(([, value = ""]) => value));
  const found = named.length > 0 ? [...new Set(named)] : imageKey.test(key) ? [text.trim()] : [];
  return found.filter((value) => bareImage.test(value) && /[:@]/.test(value));
}

/** A ConfigMap that holds YAML that holds JSON is common; deeper than this nobody nests, and a hostile one must end. */
const maxDepth = 5;
const maxText = 4 * 1024 ** 2;

/**
 * Every string value of `node`, and of the JSON and YAML documents inside those strings, with its path:
 * `/data/values!/gatewayImage`. A string that is a document is given as its parts only, so a comment in it is no value.
 */
export function* embeddedStrings(node: unknown, path = "", depth = 0): Generator<Placed> {
  if (typeof node === "string") yield* textStrings(node, path, depth);
  else if (Array.isArray(node))
    for (const [at, value] of node.entries())
      if (typeof value === "string") yield* textStrings(value, `${path}/${at}`, depth, flagBefore(node[at - 1]));
      else yield* embeddedStrings(value, `${path}/${at}`, depth);
  else if (typeof node === "object" && node !== null)
    for (const [key, value] of Object.entries(node))
      if (typeof value === "string")
        yield* textStrings(value, `${path}/${escape(key)}`, depth, key === "value" ? nameOf(node) : undefined);
      else yield* embeddedStrings(value, `${path}/${escape(key)}`, depth);
}

/** `["--image", "agent:1"]` */
function flagBefore(word: unknown): string | undefined {
  return typeof word === "string" && /^--?[\w-]+$/.test(word) ? word : undefined;
}

/** `{ name: AGENT_IMAGE, value: "agent:1" }` */
function nameOf(entry: object): string | undefined {
  return "name" in entry && typeof entry.name === "string" ? entry.name : undefined;
}

function* textStrings(value: string, path: string, depth: number, key?: string): Generator<Placed> {
  const inner = depth < maxDepth ? embeddedDocuments(value) : [];
  if (inner.length === 0) yield key === undefined ? { path, value } : { path, value, key };
  else for (const document of inner) yield* embeddedStrings(document, `${path}!`, depth + 1);
}

/** The maps and lists that a text is, as YAML or JSON; empty where it is plain text. Every scalar is a string. */
export function embeddedDocuments(text: string): readonly object[] {
  return looksLikeDocument(text) ? documentsIn(text) : [];
}

function looksLikeDocument(text: string): boolean {
  return text.length <= maxText && (/^\s*[[{]/.test(text) || (text.includes("\n") && /[:-]\s/.test(text)));
}

/** Empty when the text is no document, or only partly one: then the text itself is what must be looked at. */
function documentsIn(text: string): readonly object[] {
  try {
    const found = loadStrings(text).filter((document) => document !== "" && document !== null);
    const objects = found.filter((document) => typeof document === "object" && document !== null);
    return objects.length === found.length ? objects : [];
  } catch (error) {
    if (error instanceof YamlError) return [];
    throw error;
  }
}

function escape(key: string): string {
  return key.replaceAll("~", "~0").replaceAll("/", "~1");
}
