import type { Digest } from "../../model/digest.ts";
import type { ReleaseDocument } from "../../model/release.ts";
import type { OpenedBundle } from "./ports.ts";
import type { Wrong } from "./read.ts";

/** Whether all that a release names is in the bundle, under the name that it is known by there. */
export function checkRelease(release: ReleaseDocument, bundle: OpenedBundle): readonly Wrong[] {
  const { charts, crds, manifests, mcpServer } = release;
  const releases = new Set<string>();
  return [
    ...charts.flatMap((chart, at) => {
      const twice = releases.has(chart.release);
      releases.add(chart.release);
      return [
        ...(twice ? [{ where: `charts.${at}.release`, why: "twice" }] : []),
        ...wrongWithChart(chart, bundle).map(({ where, why }) => ({ where: `charts.${at}.${where}`, why })),
      ];
    }),
    ...missing(crds, "crds", bundle),
    ...missing(manifests, "manifests", bundle),
    ...(mcpServer === undefined || hasItem(bundle, "plugin", mcpServer)
      ? []
      : [{ where: "mcpServer", why: "not in bundle.json" }]),
  ];
}

type Chart = ReleaseDocument["charts"][number];

function wrongWithChart({ name, version, file, relocation }: Chart, bundle: OpenedBundle): readonly Wrong[] {
  const wanted = `charts/${name}-${version}.tgz`;
  const archive = `sha256:${bundle.sums.get(file) ?? ""}` as Digest;
  const wrong: Wrong[] = [];
  if (file !== wanted) wrong.push({ where: "file", why: `expected ${wanted}` });
  else if (!bundle.entries.has(file)) wrong.push({ where: "file", why: "no such entry" });
  // Of the archive there is a second copy, as the layer of the item: what is installed must be what is pushed.
  else if (!bundle.document.blobs.some(({ digest }) => digest === archive))
    wrong.push({ where: "file", why: "not in bundle.json" });
  if (!bundle.entries.has(relocation)) wrong.push({ where: "relocation", why: "no such entry" });
  if (!hasItem(bundle, "chart", name, version)) wrong.push({ where: "name", why: "not in bundle.json" });
  return wrong;
}

function hasItem({ document }: OpenedBundle, kind: "chart" | "plugin", name: string, version?: string): boolean {
  return document.items.some(
    (item) => item.kind === kind && item.name === name && (version === undefined || item.version === version),
  );
}

function missing(names: readonly string[], list: string, { entries }: OpenedBundle): readonly Wrong[] {
  return names.flatMap((name, at) => (entries.has(name) ? [] : [{ where: `${list}.${at}`, why: "no such entry" }]));
}
