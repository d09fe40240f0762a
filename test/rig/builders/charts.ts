import { MediaType } from "../../../src/model/media-type.ts";
import { aBlob, aParent, type Graph } from "./graph.ts";
import { aTgz } from "./tar.ts";

export interface ChartOptions {
  readonly name?: string;
  readonly version?: string;
  /** File name below `templates/` to its text. */
  readonly templates?: Readonly<Record<string, string>>;
  readonly values?: string;
}

/** The `.tgz` that `helm package` would make, the same bytes every time. */
function aChartArchive(options: ChartOptions = {}): Buffer {
  const { name = "demo", version = "1.0.0", templates = {}, values = "{}\n" } = options;
  const chart = `apiVersion: v2\nname: ${name}\nversion: ${version}\n`;
  const files = { "Chart.yaml": chart, "values.yaml": values };
  const named = Object.entries(templates).map(([file, text]) => [`templates/${file}`, text] as const);
  return aTgz(
    Object.fromEntries([...Object.entries(files), ...named].map(([file, text]) => [`${name}/${file}`, text])),
  );
}

/** A chart as `helm push` stores it: the archive as the one layer, and a manifest that does not say its own type. */
export function aChart(options: ChartOptions = {}): Graph {
  const { name = "demo", version = "1.0.0" } = options;
  const config = aBlob(JSON.stringify({ apiVersion: "v2", name, version }), MediaType.helmConfig);
  const layer = aBlob(aChartArchive(options), MediaType.helmChart);
  return aParent(MediaType.ociManifest, [config, layer], (first, second) => ({
    mediaType: undefined,
    config: first,
    layers: [second],
  }));
}
