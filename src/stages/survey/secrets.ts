import { isSecretName } from "../../model/object-change.ts";
import { embeddedDocuments } from "../../model/reference-words.ts";
import { isMap } from "../../model/rendered-object.ts";
import { redact } from "../../model/sanitize.ts";
import { joinPath } from "../../model/values.ts";

export interface WithoutSecrets<T> {
  readonly kept: T;
  /** Where something was left out: `spec.defaultConfig.consumers.[0].credential`. */
  readonly left: readonly string[];
}

/**
 * A copy without what looks like a secret: what a name says is one (also of `{ name, value }`, as environments are
 * written), and texts that hold one, in an address, a token, a key, or a document inside the text. A text goes whole,
 * since nobody may print a part of another's document again. It guesses; whoever calls lists what it left out.
 */
export function withoutSecrets<T extends object>(value: T): WithoutSecrets<T> {
  const left: string[] = [];
  const kept = strip(value, { path: [], secret: false, depth: 0 }, left);
  return { kept: (kept ?? {}) as T, left };
}

interface Place {
  readonly path: readonly string[];
  /** The name of a member above says that it is one. */
  readonly secret: boolean;
  /** Documents inside of texts. */
  readonly depth: number;
}

/** `undefined` where nothing may stay. */
function strip(value: unknown, at: Place, left: string[]): unknown {
  if (Array.isArray(value))
    return value
      .map((item, index) => strip(item, { ...at, path: [...at.path, `[${index}]`] }, left))
      .filter((item) => item !== undefined);
  if (isMap(value)) return stripMap(value, at, left);
  if (!isSecretValue(value, at)) return value;
  left.push(joinPath(at.path));
  return undefined;
}

function stripMap(map: Readonly<Record<string, unknown>>, at: Place, left: string[]): unknown {
  const named = typeof map["name"] === "string" && isSecretName(map["name"]);
  const entries = Object.entries(map).map(([key, value]) => {
    const path = [...at.path, key];
    if (isReference(key, value)) return [key, value] as const;
    const secret = at.secret || isSecretName(key) || (named && key === "value");
    return [key, strip(value, { ...at, path, secret }, left)] as const;
  });
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

/** Members that name a Secret, and hold none. */
const referenceKey =
  /(secret|key|token)_?(name|refs?)$|pullSecrets?$|existingSecret$|(^|\/)auth-(type|realm|secret|tls-secret)$/i;
const objectName = /^[a-z0-9][a-z0-9./_-]{0,252}$/i;

function isReference(key: string, value: unknown): boolean {
  return referenceKey.test(key) && textsOf(value).every((text) => objectName.test(text) && text.length <= 253);
}

function textsOf(value: unknown): readonly string[] {
  if (typeof value === "object" && value !== null) return Object.values(value).flatMap(textsOf);
  return [String(value)];
}

/** Switches are none, whatever they are called; of a text inside a document all that is read is text. */
const harmless: ReadonlySet<unknown> = new Set([true, false, null, undefined, "", "true", "false", "null", "~"]);

function isSecretValue(value: unknown, { secret, depth }: Place): boolean {
  if (harmless.has(value)) return false;
  if (secret) return true;
  return typeof value === "string" && holdsSecret(value, depth);
}

/** Deeper than this nobody nests documents in texts; what does is not looked through, and stays out. */
const maxDepth = 5;

function holdsSecret(text: string, depth: number): boolean {
  if (text.includes("PRIVATE KEY-----")) return true;
  const documents = embeddedDocuments(text);
  if (documents.length === 0) return redact(text) !== text;
  if (depth >= maxDepth) return true;
  const found: string[] = [];
  for (const document of documents) strip(document, { path: [], secret: false, depth: depth + 1 }, found);
  return found.length > 0;
}
