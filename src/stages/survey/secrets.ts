import { isSecretName } from "../../model/object-change.ts";
import { embeddedDocuments } from "../../model/reference-words.ts";
import { ociReference } from "../../model/reference.ts";
import { isMap, textAt } from "../../model/rendered-object.ts";
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

/** Deeper than this nobody writes objects. */
const deepest = 100;

/** `undefined` where nothing may stay. */
function strip(value: unknown, at: Place, left: string[]): unknown {
  if (at.path.length > deepest) {
    left.push(joinPath(at.path));
    return undefined;
  }
  if (Array.isArray(value))
    return value
      .map((item: unknown, index) => {
        const secret = at.secret || isSecretFlag(value[index - 1]) || (index === 1 && isSecretPair(value));
        return strip(item, { ...at, secret, path: [...at.path, `[${index}]`] }, left);
      })
      .filter((item) => item !== undefined);
  if (isMap(value)) return stripMap(value, at, left);
  if (!isSecretValue(value, at)) return value;
  left.push(joinPath(at.path));
  return undefined;
}

function stripMap(map: Readonly<Record<string, unknown>>, at: Place, left: string[]): unknown {
  const named = ["name", "key", "header"].some((key) => isSecretName(textAt(map, key) ?? ""));
  const entries = Object.entries(map).map(([key, value]) => {
    // What is left out is listed, and its place must not tell it.
    if (holdsSecret(key, maxDepth - 1) || (at.secret && !plainKey.test(key))) {
      left.push(joinPath([...at.path, "***"]));
      return [key, undefined] as const;
    }
    const path = [...at.path, key];
    if (isReference(key, value)) return [key, value] as const;
    const names = key === "key" && Object.keys(map).some((other) => valueKey.test(other));
    const tells = (named && valueKey.test(key)) || setsSecretHeader(key, value);
    const secret = at.secret || (isSecretName(key) && !names) || tells;
    return [key, strip(value, { ...at, path, secret }, left)] as const;
  });
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

/** `value`, and in plugins of Higress `newValue` and `appendValue`. */
const valueKey = /^value$|Value$/;

/** An annotation of Ingresses, with a header and its value on each line: `higress.io/request-header-control-update`. */
function setsSecretHeader(key: string, value: unknown): boolean {
  if (!/header-control-(add|update)$/.test(key) || typeof value !== "string") return false;
  return value.split("\n").some((line) => isSecretName(/^\s*([\w-]{1,200})\s/.exec(line)?.[1] ?? ""));
}

/** Below a name that says secret, what is no word itself may be one: `tokens: { 5f3a…: alice }`. */
const plainKey = /^[a-z][a-z_.-]{0,31}\d{0,2}$/i;

/** `["X-Api-Key", "…"]` */
function isSecretPair([name, ...rest]: readonly unknown[]): boolean {
  return rest.length === 1 && typeof name === "string" && isSecretName(name);
}

/** `["--password", "…"]` */
function isSecretFlag(before: unknown): boolean {
  return typeof before === "string" && /^--?[\w-]+$/.test(before) && isSecretName(before);
}

/** Members that name a Secret, and hold none. */
const referenceKey =
  /(secret|key|token)_?(name|refs?)$|pullSecrets?$|existingSecret$|(^|\/)auth-(type|realm|secret|tls-secret)$/i;
const objectName = /^[a-z0-9][a-z0-9./_-]{0,252}$/i;

/** Of a SecretKeySelector and a SecretReference. */
const referenceMembers: ReadonlySet<string> = new Set(["name", "key", "namespace", "optional"]);

function isReference(key: string, value: unknown): boolean {
  return referenceKey.test(key) && onlyRefers(value);
}

function onlyRefers(value: unknown): boolean {
  if (Array.isArray(value)) return value.every(onlyRefers);
  if (isMap(value)) return Object.entries(value).every(([key, each]) => referenceMembers.has(key) && onlyRefers(each));
  const text = String(value);
  return objectName.test(text) && text.length <= 253;
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
  if (text.includes("PRIVATE KEY-----") || issued.test(text) || address.test(text) || packed.test(text)) return true;
  const documents = embeddedDocuments(text);
  if (documents.length === 0) return isSecretText(text) || holdsEncodedSecret(text, depth);
  if (depth >= maxDepth) return true;
  const found: string[] = [];
  for (const document of documents) strip(document, { path: [], secret: false, depth: depth + 1 }, found);
  return found.length > 0;
}

/** As those who issue keys mark them, so that they are found when they leak: OpenAI, GitHub, GitLab, AWS, Aliyun, Slack, Google. */
const issued =
  /(?<![\w-])(?:sk-[\w-]{16,}|gh[pousr]_\w{20,}|glpat-[\w-]{16,}|AKIA[0-9A-Z]{16}|LTAI\w{12,}|xox[abprs]-[\w-]{10,}|AIza[\w-]{30,})/;

/** Where the address is the secret: whoever has it posts into a chat of Slack, Feishu, WeCom; or it holds a key. */
const address =
  /hooks\.slack\.com\/(?:services|workflows|triggers)\/|\/open-apis\/bot\/(?:v2\/)?hook\/|[?&][\w-]{0,60}key=[^&\s]/i;

/** Base64 of gzip, as tools keep whole objects in annotations: it is not looked through. */
const packed = /^H4sI[\w+/=\s-]{16,}$/;

/** A line of settings: `redis.pwd = …`. */
const settingLine = /^[ \t]*["']?([\w.-]{1,200})["']?[ \t]*[=:][ \t]*["']?([^\s"']+)/gm;

function isSecretText(text: string): boolean {
  if (isModuleOrImage(text)) return false;
  if (redact(text) !== text) return true;
  return [...text.matchAll(settingLine)].some(([, name = "", value]) => isSecretName(name) && !harmless.has(value));
}

function holdsEncodedSecret(text: string, depth: number): boolean {
  if (depth >= maxDepth || !/^(?:[A-Za-z0-9+/]{4}){4,}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text))
    return false;
  const plain = Buffer.from(text, "base64").toString("utf8");
  return !/[\ufffd\p{Cc}]/u.test(plain.replaceAll(/[\t\r\n]/g, "")) && holdsSecret(plain, depth + 1);
}

/** `oci://registry.example/plugins/key-auth:2.0.1` reads like a name and its value. */
function isModuleOrImage(text: string): boolean {
  // No reference is longer, and the expression looks at each dot.
  if (text.length > 600) return false;
  return /^(oci:\/\/)?[^/@]*\.[^/@]*\//i.test(text) && ociReference(text) !== undefined;
}
