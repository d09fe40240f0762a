import type { Finding } from "../../model/finding.ts";
import type { LockItem } from "../../model/lock.ts";
import { isReference, parseReference, printReference } from "../../model/reference.ts";
import { releaseEntry } from "../../model/release.ts";
import { readRelease } from "../../stages/documents/read.ts";
import type { Bundle } from "../../stages/bundle/open.ts";
import { pluginManifests } from "../../stages/plugins/manifests.ts";

export interface CarriedConfigs {
  /** What the WasmPlugins in the bundle will configure this plugin with, each once. */
  configsOf(item: LockItem): readonly string[];
  /** What is wrong with the manifests themselves. */
  readonly findings: readonly Finding[];
}

/** The configurations that travel with the bundle: the user's own WasmPlugin manifests. */
export async function carriedConfigs(bundle: Bundle): Promise<CarriedConfigs> {
  const configs = new Map<string, Set<string>>();
  const findings: Finding[] = [];
  for (const file of await manifestsOf(bundle)) {
    for (const manifest of pluginManifests((await bundle.readFile(file)).toString("utf8"), file)) {
      findings.push(...manifest.findings);
      const reference = plainReference(manifest.url);
      if (reference === undefined || manifest.config === undefined || manifest.config === "") continue;
      configs.set(reference, (configs.get(reference) ?? new Set()).add(manifest.config));
    }
  }
  return {
    findings,
    configsOf: ({ reference, aliases }) => [
      ...new Set([reference, ...aliases].flatMap((name) => [...(configs.get(plainReference(name) ?? "") ?? [])])),
    ],
  };
}

async function manifestsOf(bundle: Bundle): Promise<readonly string[]> {
  if (!bundle.entries.has(releaseEntry)) return [];
  return (await readRelease(bundle)).manifests;
}

function plainReference(url = ""): string | undefined {
  const text = url.replace(/^oci:\/\//i, "");
  return isReference(text) ? printReference(parseReference(text)) : undefined;
}
