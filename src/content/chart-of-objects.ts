import { gzipSync } from "node:zlib";
import type { KubeObject } from "../model/kubernetes.ts";
import { encodeHeader, tarBlock, tarPadding } from "../std/ustar.ts";

/**
 * A packed chart that renders these very objects. They are a file that the template names, so that no brace in them is
 * read as a template: https://helm.sh/docs/chart_template_guide/accessing_files/
 */
export function packObjects(
  { name, version }: { readonly name: string; readonly version: string },
  objects: readonly KubeObject[],
): Uint8Array {
  return packChart(name, {
    "Chart.yaml": JSON.stringify({ apiVersion: "v2", name, version }),
    "objects.yaml": objects.map((object) => `${JSON.stringify(object)}\n`).join("---\n"),
    "templates/objects.yaml": '{{ .Files.Get "objects.yaml" }}\n',
  });
}

/** The same files give the same bytes. @throws RangeError for a path that no header of a tar takes */
export function packChart(name: string, files: Readonly<Record<string, string | Uint8Array>>): Uint8Array {
  const entries = Object.entries(files).flatMap(([path, text]) => {
    const content = Buffer.from(text);
    const header = encodeHeader({ name: `${name}/${path}`, size: content.length, mode: 0o644, mtime: 0 });
    return [header, content, Buffer.alloc(tarPadding(content.length))];
  });
  return gzipSync(Buffer.concat([...entries, Buffer.alloc(2 * tarBlock)]));
}
