// @ts-check
// Everything that a release is, in one folder: executables for both architectures, the npm package, SBOM, notices, the
// section of the changelog, SHA256SUMS, and their signature. The same source gives the same bytes.
//   npm run release -- [--out FOLDER] [--sign-key FILE] [--draft]
//   --draft   to look at, and for tests: dist and dist-exe as they are (said where they are of another source), uncommitted
//             files and [Unreleased] are allowed
import { execFile } from "node:child_process";
import { createHash, createPrivateKey, sign } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { copyFile, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify, parseArgs } from "node:util";
import { build } from "esbuild";
import { manyFiles } from "./bundle/options.mjs";
import { bundleProgram } from "./exe/bundle.mjs";
import { programSbom } from "./release/sbom.mjs";

const run = promisify(execFile);
const { values } = parseArgs({
  options: { out: { type: "string" }, "sign-key": { type: "string" }, draft: { type: "boolean", default: false } },
});
const own = JSON.parse(await readFile("package.json", "utf8"));
const out = values.out ?? `release/${own.version}`;
if (existsSync(out)) throw new Error(`${out} is there already: a release is not replaced`);

/** What stands below `## [version]`. @param {string} changelog @param {string} name */
function sectionOf(changelog, name) {
  const [, ...sections] = changelog.split(/^## /m);
  const found = sections.find((section) => section.startsWith(`[${name}]`));
  return found === undefined ? undefined : `## ${found.trimEnd()}\n`;
}

/**
 * The first module names the others by hashes of what is in them, so it stands for the whole program.
 * @param {import("esbuild").OutputFile[]} dist as it would be built now
 */
async function sayWhatIsOld(dist) {
  const main = dist.find(({ path }) => path.endsWith("/main.mjs"));
  const start = Buffer.from((await bundleProgram()).modules.get("program.cjs") ?? "");
  const old = [];
  if (!main || !(await readFile("dist/main.mjs")).equals(main.contents)) old.push("dist/main.mjs (npm run build)");
  for (const architecture of ["amd64", "arm64"]) {
    const path = `dist-exe/higress-airgap-linux-${architecture}`;
    if (start.length === 0 || !(await readFile(path)).includes(start)) old.push(`${path} (npm run build:exe)`);
  }
  if (old.length > 0) process.stderr.write(`built from another source than what lies here: ${old.join(", ")}\n`);
}

const changelog = await readFile("CHANGELOG.md", "utf8");
const changes = sectionOf(changelog, own.version) ?? (values.draft ? sectionOf(changelog, "Unreleased") : undefined);
if (changes === undefined)
  throw new Error(`CHANGELOG.md has no section [${own.version}]: give [Unreleased] that name, and begin an empty one`);

if (!values.draft) {
  const { stdout: dirty } = await run("git", ["status", "--porcelain"]);
  if (dirty !== "") throw new Error(`not committed, so nobody could make these bytes again:\n${dirty}`);
  await run("node", ["scripts/build.mjs"]);
  await run("node", ["scripts/build-exe.mjs"]);
}

// Beside, then in place: what is there is a whole release, or none.
const fresh = `${out}.partial`;
await rm(fresh, { recursive: true, force: true });
await mkdir(fresh, { recursive: true });

for (const architecture of ["amd64", "arm64"]) {
  const name = `higress-airgap-linux-${architecture}`;
  await copyFile(join("dist-exe", name), join(fresh, name));
}
await copyFile("dist-exe/licences/THIRD-PARTY-NOTICES.txt", join(fresh, "THIRD-PARTY-NOTICES.txt"));
await copyFile("dist-exe/licences/node.txt", join(fresh, "NODE-LICENSE.txt"));
await copyFile("LICENSE", join(fresh, "LICENSE"));
await writeFile(join(fresh, "CHANGES.md"), changes);
// Its scripts would build dist again, beside whoever runs it at the moment.
await run("npm", ["pack", "--silent", "--ignore-scripts", "--pack-destination", fresh]);
const { stdout: committed } = await run("git", ["log", "-1", "--format=%ct"]);
const timestamp = new Date(Number(process.env.SOURCE_DATE_EPOCH ?? committed) * 1000).toISOString();
const { metafile, outputFiles } = await build({
  ...(await manyFiles()),
  entryPoints: { main: "src/main.ts" },
  outdir: fresh,
  write: false,
});
await sayWhatIsOld(outputFiles);
const sbom = await programSbom(own, metafile, timestamp);
await writeFile(join(fresh, `higress-airgap-${own.version}.cdx.json`), `${JSON.stringify(sbom, undefined, 2)}\n`);

const sums = [];
for (const name of (await readdir(fresh)).sort()) {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(join(fresh, name))) hash.update(chunk);
  sums.push(`${hash.digest("hex")}  ${name}\n`);
}
await writeFile(join(fresh, "SHA256SUMS"), sums.join(""));
if (values["sign-key"] !== undefined) {
  const key = createPrivateKey(await readFile(values["sign-key"]));
  // What `keygen` writes; openssl checks it by: openssl dgst -sha256 -verify KEY.pub -signature SHA256SUMS.sig SHA256SUMS
  await writeFile(join(fresh, "SHA256SUMS.sig"), sign("sha256", Buffer.from(sums.join("")), key));
}
await rename(fresh, out);
process.stdout.write(`${out}\n${sums.join("")}`);
