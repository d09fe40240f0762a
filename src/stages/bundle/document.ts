import { BundleDocument, Entry, formatVersion } from "../../model/bundle.ts";
import { Failure } from "../../model/failure.ts";
import { issueWords } from "../../model/list-of.ts";
import { JsonError, parseBounded } from "../../std/bounded-json.ts";
import { refuser } from "./malformed.ts";

/** Nesting is what could hurt a JSON reader; ours has items, roots, derivations: six levels. */
const maxDepth = 32;

/**
 * Reads bundle.json out of a bundle that nobody vouches for.
 * @throws Failure BUNDLE_VERSION when a later tool wrote it, BUNDLE_MALFORMED
 */
export function parseDocument(bytes: Buffer, path: string): BundleDocument {
  const refuse = refuser(path);
  const json = parseJson(bytes, (why) => refuse(Entry.bundle, why));
  const { formatVersion: version } = json as { formatVersion?: unknown };
  if (typeof version === "number" && version !== formatVersion)
    throw new Failure("BUNDLE_VERSION", { path, version: String(version), known: String(formatVersion) });
  const parsed = BundleDocument.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw refuse(
    `${Entry.bundle} ${issue?.path.map(String).join(".") ?? ""}`.trim(),
    issue === undefined ? "?" : issueWords(issue),
  );
}

function parseJson(bytes: Buffer, refuse: (why: string) => Failure): unknown {
  let json: unknown;
  try {
    json = parseBounded(bytes, { depth: maxDepth });
  } catch (error) {
    throw error instanceof JsonError ? refuse(error.message) : error;
  }
  if (typeof json !== "object" || json === null) throw refuse("JSON");
  return json;
}
