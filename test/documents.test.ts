import { existsSync, readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { describe, expect, it } from "vitest";

const filesBelow = (folder: string, kind: RegExp): readonly string[] =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => kind.test(name))
    .map((name) => `${folder}/${name.replaceAll("\\", "/")}`);
const read = (path: string): string => readFileSync(path, "utf8");

/** As GitHub makes the anchor of a heading. */
const anchorsOf = (page: string): ReadonlySet<string> =>
  new Set(
    [...read(page).matchAll(/^#+ (.+)$/gm)].map(([, title = ""]) =>
      title
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );

describe("links between pages", () => {
  const pages = [
    ...["README.md", "README.zh-CN.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "test/rig/README.md"],
    ...filesBelow("docs", /\.md$/),
  ].filter((path) => existsSync(path));

  it("lead to files and headings that are there", () => {
    const lost = pages.flatMap((page) =>
      [...read(page).matchAll(/\]\((?![a-z]+:)([^)#\s]*)(?:#([^)]+))?\)/g)].flatMap(([link, to = "", anchor]) => {
        const target = to === "" ? page : posix.join(posix.dirname(page), to);
        const there = existsSync(target) && (anchor === undefined || anchorsOf(target).has(decodeURIComponent(anchor)));
        return there ? [] : [`${page}: ${link}`];
      }),
    );
    expect(lost).toEqual([]);
  });
});
