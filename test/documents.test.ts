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

describe("comments that point to docs/facts", () => {
  const sources = ["src", "test", "scripts"].flatMap((folder) => filesBelow(folder, /\.(ts|mjs)$/));
  const cited = sources.flatMap((path) =>
    [...read(path).matchAll(/docs\/facts\/(\w+\.md)(?:#([\w-]+))?/g)].map(([, page = "", anchor]) => ({
      path,
      page: `docs/facts/${page}`,
      anchor,
    })),
  );

  it("are many, so that a green result means something", () => {
    expect(cited.length).toBeGreaterThan(50);
  });

  it("find the page and the heading", () => {
    const lost = cited.filter(
      ({ page, anchor }) => !existsSync(page) || (anchor !== undefined && !anchorsOf(page).has(anchor)),
    );
    expect(lost).toEqual([]);
  });
});

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

describe("files and names that the pages for developers give", () => {
  const given = ["ARCHITECTURE.md", "CONTRIBUTING.md", "test/rig/README.md"].flatMap((page) =>
    [
      ...read(page).matchAll(
        /(?:`(\w+)` (?:in|of) )?`((?:src|test|scripts|manifests|docs)\/[\w./-]+)`(?:,? \(`(\w+)`\))?/g,
      ),
    ].map(([, before, path = "", after]) => ({ page, path, name: before ?? after })),
  );

  it("are many, some with the name of a function, so that a green result means something", () => {
    expect(given.length).toBeGreaterThan(80);
    expect(given.filter(({ name }) => name !== undefined).length).toBeGreaterThan(3);
  });

  it("are there", () => {
    const lost = given.filter(
      ({ path, name }) => !existsSync(path) || (name !== undefined && !read(path).includes(name)),
    );
    expect(lost).toEqual([]);
  });
});
