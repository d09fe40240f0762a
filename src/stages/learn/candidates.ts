import { referenceWords } from "../../model/reference-words.ts";
import { joinPath, leavesOf, valueAt, type ChartValues, type Values, type ValuesPath } from "../../model/values.ts";

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
function markerOf(at: number): string {
  return `m${at}.learn.invalid`;
}

/**
 * Values that hold a host, an image's name, or a text that names images, and values of an image's key that nobody sets:
 * templates read them, or values.yaml has them empty, as it has `global.imageRegistry` for a library chart that is handed
 * all of `global`. Of a list helm replaces all: set here, it would take the place of the one that the user has inside, and
 * an address of his own in it would get the registry's host. What a list holds is therefore for a patch.
 */
export function candidatesOf(values: Values, { read }: ChartValues): readonly MarkedValue[] {
  const known = leavesOf(values).flatMap(({ path, value }) =>
    typeof value === "string" && movedText(value, path.at(-1) ?? "", markerOf(0)) !== value ? [{ path, value }] : [],
  );
  const empty = [...read, ...leavesOf(values).map(({ path }) => path)];
  const unset = empty.filter((path) => imageKey.test(path.at(-1) ?? "") && isEmpty(valueAt(values, path)));
  const all = new Map<string, Omit<MarkedValue, "marker">>();
  for (const { path, value } of known)
    all.set(joinPath(path), { path, unset: false, with: (to) => movedText(value, path.at(-1) ?? "", to) });
  for (const path of unset) all.set(joinPath(path), { path, unset: true, with: (to) => to });
  return [...all.values()].map((candidate, at) => ({ ...candidate, marker: markerOf(at) }));
}

export function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || value === "";
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
