// @ts-check
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

const packagePath = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/;

/**
 * The licence texts of every package that has a line in the program, once each, in the order of their names.
 * @param {import("esbuild").Metafile} metafile
 */
export async function thirdPartyNotices(metafile) {
  const inputs = Object.values(metafile.outputs).flatMap(({ inputs }) => Object.keys(inputs));
  const folders = new Set(inputs.flatMap((input) => packagePath.exec(input)?.[0] ?? []));
  const parts = await Promise.all([...folders].sort().map(noticeOf));
  return `The program contains these packages.\n${parts.join("")}`;
}

/** @param {string} folder */
async function noticeOf(folder) {
  const { name, version, license } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
  const files = (await readdir(folder)).filter((file) => /^(licen[cs]e|notice|copying)/i.test(file)).sort();
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), "utf8")));
  if (typeof license !== "string") throw new Error(`${name}@${version} names no licence`);
  const rule = "=".repeat(80);
  return `\n${rule}\n${name} ${version} (${license})\n${rule}\n\n${texts.map((text) => `${text.trim()}\n`).join("\n")}`;
}
