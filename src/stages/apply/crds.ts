import { Failure } from "../../model/failure.ts";
import { loadTyped, YamlError } from "../../std/yaml.ts";

/** Names of the CustomResourceDefinitions in these files, each once. @throws Failure CHART_UNUSABLE for broken YAML */
export function crdNames(files: readonly string[]): readonly string[] {
  return [...new Set(files.flatMap(namesIn))];
}

function namesIn(yaml: string): readonly string[] {
  try {
    return loadTyped(yaml).flatMap((document) => {
      // Generated files end in `---`, which begins one more document: an empty one.
      const { kind, metadata } = (document ?? {}) as { kind?: unknown; metadata?: { name?: unknown } | null };
      return kind === "CustomResourceDefinition" && typeof metadata?.name === "string" ? [metadata.name] : [];
    });
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    throw new Failure(
      "CHART_UNUSABLE",
      { chart: "crds", why: `${error.message} (line ${error.line})` },
      { cause: error },
    );
  }
}
