// @ts-check
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

const packagePath = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/;

/**
 * Every package that has a line in the program, in the order of their folders.
 * @param {import("esbuild").Metafile} metafile
 * @returns {Promise<{ folder: string, name: string, version: string, license: string }[]>}
 */
export async function packagesIn(metafile) {
  const inputs = Object.values(metafile.outputs).flatMap(({ inputs }) => Object.keys(inputs));
  const folders = new Set(inputs.flatMap((input) => packagePath.exec(input)?.[0] ?? []));
  return Promise.all(
    [...folders].sort().map(async (folder) => {
      const { name, version, license } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
      if (typeof license !== "string") throw new Error(`${name}@${version} names no licence`);
      return { folder, name, version, license };
    }),
  );
}

/**
 * The licence texts of the packages, once each.
 * @param {import("esbuild").Metafile} metafile
 */
export async function thirdPartyNotices(metafile) {
  const parts = await Promise.all((await packagesIn(metafile)).map(noticeOf));
  return `The program contains these packages.\n${parts.join("")}`;
}

/** @param {{ folder: string, name: string, version: string, license: string }} found */
async function noticeOf({ folder, name, version, license }) {
  const files = (await readdir(folder)).filter((file) => /^(licen[cs]e|notice|copying)/i.test(file)).sort();
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), "utf8")));
  const rule = "=".repeat(80);
  return `\n${rule}\n${name} ${version} (${license})\n${rule}\n\n${texts.map((text) => `${text.trim()}\n`).join("\n")}`;
}
