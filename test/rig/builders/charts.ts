import { gzipSync } from "node:zlib";
import { MediaType } from "../../../src/model/media-type.ts";
import { encodeHeader, tarBlock, tarPadding } from "../../../src/std/ustar.ts";
import { aBlob, aParent, type Graph } from "./graph.ts";

export interface ChartOptions {
  readonly name?: string;
  readonly version?: string;
  /** File name below `templates/` to its text. */
  readonly templates?: Readonly<Record<string, string>>;
  readonly values?: string;
}

/** The `.tgz` that `helm package` would make, the same bytes every time. */
export function aChartArchive(options: ChartOptions = {}): Buffer {
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

/** Files as a gzipped tar. The gzip header has no time in it, and the level is fixed. */
export function aTgz(files: Readonly<Record<string, string | Uint8Array>>): Buffer {
  const blocks = Object.entries(files).flatMap(([name, content]) => {
    const bytes = Buffer.from(content);
    const header = encodeHeader({ name, size: bytes.byteLength, mode: 0o644, mtime: 0 });
    return [header, bytes, Buffer.alloc(tarPadding(bytes.byteLength))];
  });
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(2 * tarBlock)]), { level: 6 });
}
