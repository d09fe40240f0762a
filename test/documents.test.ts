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

describe("comments of the program", () => {
  it("say whom they are about: a stranger reads one by itself", () => {
    const lost = filesBelow("src", /\.ts$/).flatMap((path) =>
      [...read(path).matchAll(/^ *\/(?:\*\*|\/) (?:It|They|These|Those|This|One that) .*/gm)]
        // The second line of a remark knows what the first is about.
        .filter(({ index }) => !/\/\/.*\n$/.test(read(path).slice(0, index)))
        .map(([line]) => `${path}: ${line.trim()}`),
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

describe("walks through ARCHITECTURE.md", () => {
  interface Hop {
    readonly file: string;
    readonly name: string;
  }
  /** Tables whose head counts the files that stand below it. */
  const walks = [...read("ARCHITECTURE.md").matchAll(/^\| (\d+) files +\|.*\n\|.*\n((?:\| `src\/.*\n)+)/gm)].map(
    ([, files, rows = ""]) => ({
      files: Number(files),
      hops: [...rows.matchAll(/^\| `([^`]+)` +\| (.*?) +\|$/gm)].flatMap(([, file = "", names = ""]) =>
        [...names.matchAll(/`([^`]+)`/g)].map(([, name = ""]): Hop => ({ file, name })),
      ),
    }),
  );

  /** The lines of a function or method; the closing brace stands as far in as the first line, which prettier sees to. */
  const bodyOf = ({ file, name }: Hop): string | undefined => {
    const lines = read(file).split("\n");
    const head = new RegExp(
      `^( *)(?:export )?(?:default )?(?:async )?(?:function )?\\*?(?:function\\* )?${name}(?:<.*>)?\\((?:.*[^;])?$`,
    );
    const at = lines.findIndex((line) => head.test(line));
    const indent = head.exec(lines[at] ?? "")?.[1];
    if (indent === undefined) return undefined;
    return lines.slice(at, lines.indexOf(`${indent}}`, at)).join("\n");
  };
  const names = (body: string, name: string): boolean => new RegExp(`(?<![\\w#])${name}\\b`).test(body.slice(1));

  it("are there, as functions of these files", () => {
    expect(walks.length).toBe(3);
    expect(walks.flatMap(({ hops }) => hops.filter((hop) => bodyOf(hop) === undefined))).toEqual([]);
  });

  it("leave no hop out: whatever does not begin a command is named by a function before it", () => {
    const jumps = walks.flatMap(({ hops }) =>
      hops.filter(
        ({ file, name }, at) =>
          at > 0 &&
          !(file.startsWith("src/cli/commands/") && name === "run") &&
          !hops.slice(0, at).some((before) => names(bodyOf(before)?.replace(/^.*/, "") ?? "", name)),
      ),
    );
    expect(jumps).toEqual([]);
  });

  it("are as long as their heads say, and do not grow", () => {
    const counted = walks.map(({ hops }) => new Set(hops.map(({ file }) => file)).size);
    expect(counted).toEqual(walks.map(({ files }) => files));
    const [layer = 0, project = 0, pushed = 0] = counted;
    expect(layer).toBeLessThanOrEqual(27);
    expect(project).toBeLessThanOrEqual(10);
    expect(pushed).toBeLessThanOrEqual(25);
  });

  it("name every shape that the layer has on its way, and no more than there are", () => {
    const [, head, rows = ""] = /^\| (\d+) shapes .*\n\|.*\n((?:\| `.*\n)+)/m.exec(read("ARCHITECTURE.md")) ?? [];
    const shapes = [...rows.matchAll(/^\| `(\w+)` +\| `([^`]+)`/gm)];
    expect(shapes.length).toBe(Number(head));
    expect(shapes.length).toBeLessThanOrEqual(8);
    const lost = shapes.filter(
      ([, name = "", file = ""]) => !new RegExp(`^export (?:interface|type|const) ${name}\\b`, "m").test(read(file)),
    );
    expect(lost.map(([row]) => row)).toEqual([]);
  });
});
