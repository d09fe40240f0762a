import type { LayerMember } from "../../content/layer-tar.ts";

const opaque = ".wh..wh..opq";
const whiteout = ".wh.";

/**
 * What a member of a layer takes away from the `folder` (of the root) in the layers below it: everything, or one name.
 * https://github.com/opencontainers/image-spec/blob/main/layer.md#whiteouts
 */
export function hides(
  member: Pick<LayerMember, "path" | "type">,
  folder: string,
): "all" | { readonly name: string } | undefined {
  const { path, type } = member;
  if (path === opaque || path === `${whiteout}${folder}` || path === `${folder}/${opaque}`) return "all";
  if (type === "directory") return undefined;
  // A file in the place of the folder.
  if (path === folder) return "all";
  const [first, name, ...deeper] = path.split("/");
  if (first !== folder || name === undefined || deeper.length > 0) return undefined;
  return { name: name.startsWith(whiteout) ? name.slice(whiteout.length) : name };
}
