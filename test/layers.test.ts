import { readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { describe, expect, it } from "vitest";

/** Which layer may import which. Reading this table is reading the architecture. */
const mayImport: Record<string, readonly string[]> = {
  std: [],
  model: ["std"],
  content: ["model", "std"],
  stages: ["content", "model", "std"],
  edge: ["content", "model", "std"],
  ui: ["model", "std"],
  pipeline: ["stages", "content", "model", "std"],
  cli: ["pipeline", "stages", "edge", "ui", "content", "model", "std"],
  "main.ts": ["cli"],
};

const sources = readdirSync("src", { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .map((file) => `src/${file.replaceAll("\\", "/")}`);
const text = new Map(sources.map((path) => [path, readFileSync(path, "utf8")]));
const layerOf = (path: string): string => path.split("/")[1] ?? "";
const stageOf = (path: string): string => path.split("/").slice(1, 3).join("/");

/** `from "…"`, `import "…"` and lazy `import("…")`, types included: a type is a dependency too. */
const importsOf = (path: string): string[] =>
  [...(text.get(path) ?? "").matchAll(/(?:\bfrom|\bimport)\s*\(?\s*"([^"]+)"/g)].map((match) => match[1] ?? "");
const ours = (path: string): string[] =>
  importsOf(path)
    .filter((to) => to.startsWith("."))
    .map((to) => posix.join(posix.dirname(path), to));

describe("layers", () => {
  it("finds the sources and their imports, so that a green result means something", () => {
    expect(sources.length).toBeGreaterThan(50);
    expect(sources.flatMap(ours).length).toBeGreaterThan(100);
  });

  it("import only downwards", () => {
    const wrong = sources.flatMap((path) =>
      ours(path)
        .filter((to) => layerOf(to) !== layerOf(path) && !mayImport[layerOf(path)]?.includes(layerOf(to)))
        .map((to) => `${path} -> ${to}`),
    );
    expect(wrong).toEqual([]);
  });

  it("are all known", () => {
    expect([...new Set(sources.map(layerOf))].sort()).toEqual(Object.keys(mayImport).sort());
  });

  it("import in no circle: what two files need of each other belongs to one of them, or to a third", () => {
    const state = new Map<string, "open" | "done">();
    const circles: string[] = [];
    const visit = (path: string, trail: readonly string[]): void => {
      if (state.get(path) === "open") circles.push([...trail.slice(trail.indexOf(path)), path].join(" -> "));
      if (state.has(path)) return;
      state.set(path, "open");
      for (const to of ours(path)) visit(to, [...trail, path]);
      state.set(path, "done");
    };
    for (const path of sources) visit(path, []);
    expect(circles).toEqual([]);
  });

  it("keep stages apart: no stage imports another", () => {
    const wrong = sources
      .filter((path) => layerOf(path) === "stages")
      .flatMap((path) =>
        ours(path)
          .filter((to) => layerOf(to) === "stages" && stageOf(to) !== stageOf(path))
          .map((to) => `${path} -> ${to}`),
      );
    expect(wrong).toEqual([]);
  });

  it("keep effects at the edge", () => {
    const effects =
      /^(node:(fs|fs\/promises|http|https|net|tls|child_process|dns|worker_threads)|undici|execa|archiver|tar)$/;
    const wrong = sources
      .filter((path) => !["edge", "cli", "main.ts"].includes(layerOf(path)))
      .flatMap((path) =>
        importsOf(path)
          .filter((to) => effects.test(to))
          .map((to) => `${path} -> ${to}`),
      );
    expect(wrong).toEqual([]);
  });

  it("take packages by their entry: it does more than export, and what lies behind it is not ours", () => {
    // Types are gone when the program is packed.
    const packed = [...text].flatMap(([path, source]) =>
      [
        ...source
          .replaceAll(/^import type [^;]*;/gm, "")
          .matchAll(/^.*?\b(?:from|import)\s*\(?\s*"((?:@[^/"]+\/)?[a-z][^"]*)"/gm),
      ].map((match) => ({
        path,
        to: match[1] ?? "",
      })),
    );
    expect(packed.map(({ to }) => to)).toContain("zod");
    const wrong = packed.filter(({ to }) => !to.startsWith("node:") && to.replace(/^@[^/]+\//, "").includes("/"));
    expect(wrong).toEqual([]);
  });

  it("read YAML in one place, where hostile documents end", () => {
    const wrong = sources.filter((path) => layerOf(path) !== "std" && importsOf(path).includes("js-yaml"));
    expect(wrong).toEqual([]);
  });

  it("tell findings by their list, so that alike ones are told together in every command", () => {
    const tellers = sources.filter((path) => /(?<!Extract<Event, )\{\s*type: "finding"/.test(text.get(path) ?? ""));
    expect(tellers).toEqual(["src/model/event.ts"]);
  });

  it("leave the process to main.ts and cli/", () => {
    const wrong = sources.filter(
      (path) =>
        !["cli", "main.ts"].includes(layerOf(path)) &&
        /\bprocess\.(argv|exit|env|std(in|out|err))\b/.test(text.get(path) ?? ""),
    );
    expect(wrong).toEqual([]);
  });

  it("give one name one meaning: none is exported twice, and what a file is for may be its default", () => {
    const where = new Map<string, Set<string>>();
    for (const [path, source] of text)
      for (const [, name = ""] of source.matchAll(
        /^export (?:declare )?(?:async )?(?:abstract )?(?:function\*?|class|interface|type|const|enum) (\w+)/gm,
      ))
        where.set(name, (where.get(name) ?? new Set()).add(path));
    expect(where.size).toBeGreaterThan(500);
    const twice = [...where].filter(([, paths]) => paths.size > 1);
    expect(twice.map(([name, paths]) => `${name}: ${[...paths].join(", ")}`)).toEqual([]);
  });
});
