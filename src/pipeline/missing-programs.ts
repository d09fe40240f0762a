import { programPrefix } from "../model/bundle.ts";
import { finding, type Finding } from "../model/finding.ts";
import { parsePlatform } from "../model/platform.ts";

/**
 * What a host of each platform will not find in `bin/`: our own executable, which install.sh starts, and what an install
 * of a chart calls. The host may have both already; who builds learns it here and not on an evening without internet.
 */
export function missingPrograms(
  platforms: readonly string[],
  carried: readonly { readonly name: string }[],
  { installsCharts }: { readonly installsCharts: boolean },
): readonly Finding[] {
  const there = new Set(carried.map(({ name }) => name));
  return platforms.flatMap((platform) => {
    const { os, architecture } = parsePlatform(platform) ?? {};
    // Nodes of other systems are no hosts that anything is installed from.
    if (os !== "linux" || architecture === undefined) return [];
    const lacks = (program: string): boolean => !there.has(`${programPrefix}${program}`);
    const installer = `higress-airgap-linux-${architecture}`;
    const tools = ["helm", "kubectl"].map((tool) => `${tool}-linux-${architecture}`).filter(lacks);
    return [
      ...(lacks(installer) ? [finding("note", "bundle.installer-missing", { platform, program: installer })] : []),
      ...(installsCharts && tools.length > 0
        ? [finding("warning", "bundle.tools-missing", { platform, programs: tools.join(" ") })]
        : []),
    ];
  });
}
