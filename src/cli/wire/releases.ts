import { readAsset } from "../../edge/files/assets.ts";
import { Failure } from "../../model/failure.ts";
import { loadTyped } from "../../std/yaml.ts";

/** Releases of Higress that ship with the program, newest first: `manifests/higress/<version>/`. */
export const releases = ["2.2.4", "2.2.0", "2.1.9"] as const;

/** @throws Failure USAGE naming the releases that there are */
export async function readRelease(
  version: string,
): Promise<{ readonly spec: Readonly<Record<string, unknown>>; readonly relocation: string }> {
  if (!releases.some((release) => release === version))
    throw new Failure("USAGE", { what: `--release-version ${version}: ${releases.join(", ")}` });
  const folder = `manifests/higress/${version}`;
  const [spec] = loadTyped(await readAsset(`${folder}/bundle.yaml`));
  return {
    spec: spec as Readonly<Record<string, unknown>>,
    relocation: await readAsset(`${folder}/relocation.yaml`),
  };
}
