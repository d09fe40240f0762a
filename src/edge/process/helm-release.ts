import * as z from "zod";
import { Failure } from "../../model/failure.ts";

export interface ReleaseInfo {
  readonly release: string;
  readonly namespace: string;
  readonly revision: number;
  /** deployed, failed, pending-install, pending-upgrade, uninstalling, … */
  readonly status: string;
  readonly updated: string;
  readonly description: string;
}

const ReleaseDocument = z.object({
  name: z.string(),
  namespace: z.string(),
  version: z.int(),
  info: z.object({ status: z.string(), last_deployed: z.string().default(""), description: z.string().default("") }),
});

const InstalledDocument = z.object({
  manifest: z.string().default(""),
  hooks: z.array(z.object({ manifest: z.string().default("") })).nullish(),
});

/** `helm status -o json`, which `upgrade -o json` also prints; the same members on 3.17, 4.1 and 4.2. */
export function parseRelease(text: string): ReleaseInfo {
  const { name, namespace, version, info } = parse(ReleaseDocument, text);
  const { status, last_deployed: updated, description } = info;
  return { release: name, namespace, revision: version, status, updated, description };
}

/** The manifest and the hooks of a release, as one multi-document text. */
export function installedManifest(text: string): string {
  const { manifest, hooks } = parse(InstalledDocument, text);
  return [manifest, ...(hooks ?? []).map((hook) => hook.manifest)].join("\n---\n");
}

function parse<S extends z.ZodType>(schema: S, text: string): z.output<S> {
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    // No cause: its message would quote a release, which holds values.
    const why = cause instanceof z.ZodError ? (cause.issues[0]?.path.join(".") ?? "") : "no JSON";
    throw new Failure("HELM_FAILED", { action: "read output", exit: "0", output: why });
  }
}
