import { isMap, textAt, whereOf, type RenderedObject } from "../../src/model/rendered-object.ts";

/** Each field of `all` that is another one in the same object of `others`, as `same` reads their texts. */
export function differences(
  all: readonly RenderedObject[],
  others: readonly RenderedObject[],
  same: (text: string) => string,
): readonly string[] {
  const other = new Map(others.map((object) => [whereOf(object), leaves(object, same)]));
  return all.flatMap((object) => {
    const there = other.get(whereOf(object)) ?? new Map<string, string>();
    return [...leaves(object, same)].flatMap(([path, value]) =>
      there.get(path) === value ? [] : [`${whereOf(object)} ${path}: ${value} → ${there.get(path) ?? "-"}`],
    );
  });
}

/** Items of lists by their names, where they have some: one more in front moves no other. */
function leaves(value: unknown, same: (text: string) => string, path = ""): ReadonlyMap<string, string> {
  if (typeof value !== "object" || value === null) return new Map([[path, same(String(value))]]);
  const entries = Object.entries(value).map(([key, member]: [string, unknown]) => {
    const name = Array.isArray(value) && isMap(member) ? textAt(member, "name") : undefined;
    return leaves(member, same, `${path}/${name ?? key}`);
  });
  return new Map(entries.flatMap((each) => [...each]));
}
