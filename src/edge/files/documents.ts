import { Failure } from "../../model/failure.ts";
import { sanitize } from "../../model/sanitize.ts";
import { loadTyped, YamlError, type Documents } from "../../std/yaml.ts";
import { readText } from "./read-text.ts";

/** Several objects, each below what etcd takes. */
const maxManifests = 16 * 1024 ** 2;

/** Reads a file of manifests that somebody wrote, as it is. @throws Failure CONFIG_INVALID where it is no YAML */
export async function loadManifests(path: string): Promise<string> {
  const text = await readText(path, maxManifests);
  documentsOf(text, path);
  return text;
}

/** @throws Failure CONFIG_INVALID with the place where it is no YAML */
export function documentsOf(text: string, file: string): Documents {
  try {
    return loadTyped(text);
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    const problems = `${file}:${error.line}:${error.column} ${sanitize(error.message, 200)}`;
    throw new Failure("CONFIG_INVALID", { file, problems });
  }
}
