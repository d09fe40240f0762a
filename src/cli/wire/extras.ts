import { readAsset } from "../../edge/assets/assets.ts";
import type { SmallFile } from "../../stages/bundle/plan.ts";

const names = ["README.txt", "install.sh"] as const;

/** What a bare host finds first: a text for people, and the script that starts the right executable. */
export async function bundleExtras(): Promise<readonly SmallFile[]> {
  return Promise.all(
    names.map(async (name) => ({
      name,
      bytes: Buffer.from(await readAsset(`manifests/bundle/${name}`)),
      ...(name.endsWith(".sh") ? { mode: 0o755 } : {}),
    })),
  );
}
