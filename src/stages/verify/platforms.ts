import type { BundleDocument } from "../../model/bundle.ts";
import { finding, type Finding } from "../../model/finding.ts";
import { parsePlatform, platformMatches, printPlatform } from "../../model/platform.ts";
import type { Contents } from "./contents.ts";

/** Every index must still have the platforms that bundle.json promises of its item. */
export function checkPlatforms({ items }: BundleDocument, { manifests }: Contents): readonly Finding[] {
  return items.flatMap((item) => {
    const manifest = manifests.get(item.root.digest);
    if (item.kind !== "image" || manifest?.kind !== "index") return [];
    const has = manifest.manifests.flatMap(({ platform }) => (platform === undefined ? [] : [platform]));
    const missing = item.platforms.filter((text) => {
      const wanted = parsePlatform(text);
      return wanted === undefined || !has.some((each) => platformMatches(wanted, each));
    });
    const carried = has.map(printPlatform).join(", ");
    return missing.map((platform) =>
      finding("error", "bundle.platform-missing", { item: item.reference, platform, has: carried }),
    );
  });
}
