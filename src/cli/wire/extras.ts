import { readAsset } from "../../edge/files/assets.ts";
import type { SmallFile } from "../../stages/bundle/plan.ts";
import { findExecutables } from "./executables.ts";

const names = ["README.txt", "install.sh"] as const;

/** What a bare host finds first: a text for people, the script that starts the right executable, and its licences. */
export async function bundleExtras(env: Readonly<Record<string, string | undefined>>): Promise<readonly SmallFile[]> {
  const { licences } = await findExecutables(env);
  const files = await Promise.all(
    names.map(async (name) => ({
      name,
      bytes: Buffer.from(await readAsset(`manifests/bundle/${name}`)),
      ...(name.endsWith(".sh") ? { mode: 0o755 } : {}),
    })),
  );
  return [...files, ...licences];
}
