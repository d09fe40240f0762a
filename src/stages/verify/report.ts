import { blobPrefix, Entry } from "../../model/bundle.ts";
import { hasErrors } from "../../model/finding.ts";
import type { OpenedBundle } from "./ports.ts";
import type { VerifyResult } from "./verify.ts";

export interface VerificationFacts {
  /** When it was checked, as the host's clock has it. */
  readonly at: Date | string;
  readonly tool: { readonly name: string; readonly version: string };
  /** The public key that fits the signature, when one was asked for. */
  readonly signed?: string | undefined;
}

/** What an auditor wants on file: what was checked, how, by what, and what came of it. For `--report`. */
export function evidence(bundle: OpenedBundle, result: VerifyResult, { at, tool, signed }: VerificationFacts) {
  const { document, entries, id, source } = bundle;
  return {
    reportVersion: 1,
    verdict: hasErrors(result.findings) ? "damaged" : "sound",
    checkedAt: typeof at === "string" ? at : at.toISOString(),
    tool: { ...tool },
    bundle: {
      path: source.name,
      size: source.size,
      sha256OfBundleJson: id,
      name: document.name,
      version: document.version,
      created: document.created,
      builtBy: { ...document.tool },
      platforms: [...document.platforms],
      signature: { present: entries.has(Entry.signature), ...(signed === undefined ? {} : { verifiedWith: signed }) },
      ...(document.delta === undefined
        ? {}
        : { delta: { base: document.delta.base, absentBlobs: document.delta.absent.length } }),
    },
    checked: result.checked,
    items: document.items.map(({ kind, reference, root, bytes, platforms }) => ({
      kind,
      reference,
      digest: root.digest,
      bytes,
      platforms: [...platforms],
    })),
    blobs: [...entries.keys()].filter((name) => name.startsWith(blobPrefix)).length,
    findings: result.findings.map(({ code, severity, facts }) => ({ code, severity, facts: { ...facts } })),
  };
}
