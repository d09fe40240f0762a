import { referenceWords } from "../../model/reference-words.ts";
import {
  isValues,
  joinPath,
  leavesOf,
  valueAt,
  type ChartValues,
  type Values,
  type ValuesPath,
} from "../../model/values.ts";

/** A value that may move references, and the host that shows where it comes out again. */
export interface MarkedValue {
  readonly path: ValuesPath;
  readonly marker: string;
  /** Nothing stands there yet: another value is asked in its place (`gateway.hub | default global.hub`). */
  readonly unset: boolean;
  /** The value with its registry replaced by `host`. */
  readonly with: (host: string) => unknown;
}

/** Keys under which charts keep what images are made of. */
const imageKey = /(hub|registry|repository|repo|image|imagename|imageprefix)$/i;
/** `host.example/path`, `host:5000`, `10.1.2.3:5000/path`, each with or without `oci://`. */
const hostName = String.raw`(?:(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}(?::\d+)?|(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?(?=\/)|[a-z0-9.-]+:\d{2,5}(?=\/|$))`;
const hosted = new RegExp(`^((?:oci|docker)://)?${hostName}(?=/|$)`, "i");
const bareName =
  /^[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:\/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*(?::\w[\w.-]*)?(?:@sha256:[0-9a-f]{64})?$/;

/** No registry can have such a name (RFC 2606). */
export function markerOf(at: number): string {
  return `m${at}.learn.invalid`;
}

/**
 * Values that hold a host, an image's name, or a text that names images, and values of an image's key that templates read
 * and nobody sets.
 */
export function candidatesOf(values: Values, { read }: ChartValues): readonly MarkedValue[] {
  const known = leavesOf(values).filter(({ path, value }) => holdsReference(value, path.at(-1) ?? ""));
  const unset = read.filter((path) => imageKey.test(path.at(-1) ?? "") && isEmpty(valueAt(values, path)));
  const all = new Map<string, Omit<MarkedValue, "marker">>();
  for (const { path, value } of known)
    all.set(joinPath(path), { path, unset: false, with: (to) => moved(value, path.at(-1) ?? "", to) });
  for (const path of unset) all.set(joinPath(path), { path, unset: true, with: (to) => to });
  return [...all.values()].map((candidate, at) => ({ ...candidate, marker: markerOf(at) }));
}

export function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || value === "";
}

function holdsReference(value: unknown, key: string): boolean {
  return !isEmpty(value) && JSON.stringify(moved(value, key, markerOf(0))) !== JSON.stringify(value);
}

function moved(value: unknown, key: string, to: string): unknown {
  if (typeof value === "string") return movedText(value, key, to);
  if (Array.isArray(value)) return value.map((entry: unknown) => moved(entry, key, to));
  if (!isValues(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, moved(entry, name, to)]));
}

function movedText(text: string, key: string, to: string): string {
  if (hosted.test(text)) return text.replace(hosted, (_, scheme: string | undefined) => `${scheme ?? ""}${to}`);
  if (imageKey.test(key) && bareName.test(text)) return `${to}/${text}`;
  return /[\s={["]/.test(text) ? withWordsMoved(text, to) : text;
}

/** A text that somebody else reads: only what surely is a reference in it is replaced. */
function withWordsMoved(text: string, to: string): string {
  return referenceWords(text)
    .filter(({ kind, text: word, host: name }) => name !== "" && (kind !== "url" || /^(oci|docker):/i.test(word)))
    .reduce(
      (whole, { text: word }) =>
        whole.replaceAll(
          word,
          word.replace(hosted, (_, scheme?: string) => (scheme ?? "") + to),
        ),
      text,
    );
}
