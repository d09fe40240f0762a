import { BundleDocument, Entry, formatVersion } from "../../model/bundle.ts";
import { Failure } from "../../model/failure.ts";
import { refuser } from "./malformed.ts";

/** Nesting is what could hurt a JSON reader; ours has items, roots, derivations: six levels. */
const maxDepth = 32;

/**
 * Reads bundle.json out of a bundle that nobody vouches for.
 * @throws Failure BUNDLE_VERSION when a later tool wrote it, BUNDLE_MALFORMED
 */
export function parseDocument(bytes: Buffer, path: string): BundleDocument {
  const refuse = refuser(path);
  if (depthOf(bytes) > maxDepth) throw refuse(Entry.bundle, `nested > ${maxDepth}`);
  const json = parseJson(bytes);
  if (json === undefined) throw refuse(Entry.bundle, "JSON");
  const { formatVersion: version } = json as { formatVersion?: unknown };
  if (typeof version === "number" && version !== formatVersion)
    throw new Failure("BUNDLE_VERSION", { path, version: String(version), known: String(formatVersion) });
  const parsed = BundleDocument.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw refuse(Entry.bundle, `${issue?.path.join(".") ?? ""}: ${issue?.message ?? "?"}`);
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) ?? undefined;
  } catch {
    return undefined;
  }
}

/** Brackets outside strings, counted on the bytes: told before the parser recurses into them. */
function depthOf(bytes: Buffer): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  const { length } = bytes;
  for (let at = 0; at < length; at += 1) {
    const byte = bytes[at];
    if (inString && byte === 0x5c) at += 1;
    else if (byte === 0x22) inString = !inString;
    else if (!inString && (byte === 0x5b || byte === 0x7b)) deepest = Math.max(deepest, ++depth);
    else if (!inString && (byte === 0x5d || byte === 0x7d)) depth -= 1;
  }
  return deepest;
}
