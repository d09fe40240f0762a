import { programPrefix } from "../model/bundle.ts";
import { finding, type Finding } from "../model/finding.ts";
import { parsePlatform } from "../model/platform.ts";

const own = "higress-airgap-linux-";

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
  // Without any, the hosts inside have Node; one for some of the platforms only is what was left behind.
  const severity = [...there].some((name) => name.startsWith(`${programPrefix}${own}`)) ? "warning" : "note";
  return platforms.flatMap((platform) => {
    const { os, architecture } = parsePlatform(platform) ?? {};
    // Nodes of other systems are no hosts that anything is installed from.
    if (os !== "linux" || architecture === undefined) return [];
    const lacks = (program: string): boolean => !there.has(`${programPrefix}${program}`);
    const installer = `${own}${architecture}`;
    const tools = ["helm", "kubectl"].map((tool) => `${tool}-linux-${architecture}`).filter(lacks);
    return [
      ...(lacks(installer) ? [finding(severity, "bundle.installer-missing", { platform, program: installer })] : []),
      ...(installsCharts && tools.length > 0
        ? [finding("warning", "bundle.tools-missing", { platform, programs: tools.join(" ") })]
        : []),
    ];
  });
}
