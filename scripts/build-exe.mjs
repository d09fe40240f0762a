// @ts-check
// Builds dist-exe/higress-airgap-linux-{amd64,arm64}: the program, its data and Node in one file each. All of it is made
// twice: bytes that differ would mean that nobody can check them.
//   node scripts/build-exe.mjs [--node-binary PATH]   PATH: your own build of Node, for this machine's architecture
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import {
  chmod,
  copyFile,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { inject } from "postject";
import { fetchBase } from "./exe/base.mjs";
import { bundleProgram, bundleStart } from "./exe/bundle.mjs";
import { thirdPartyNotices } from "./bundle/notices.mjs";

const run = promisify(execFile);
const out = "dist-exe";
const own = process.arch === "arm64" ? "arm64" : "amd64";
const given = process.argv.indexOf("--node-binary");

/** Data that the program asks for by these names (src/edge/assets). */
async function assetsOf(/** @type {string} */ licences) {
  const files = await readdir("manifests", { recursive: true, withFileTypes: true });
  const names = files.filter((file) => file.isFile()).map((file) => join(file.parentPath, file.name));
  const data = Object.fromEntries(["LICENSE", ...names.sort()].map((name) => [name, resolve(name)]));
  const texts = (await readdir(licences)).sort().map((name) => [`licences/${name}`, resolve(licences, name)]);
  return { ...data, ...Object.fromEntries(texts) };
}

/**
 * How a Node of this architecture is started here; `undefined` where it cannot be.
 * @param {"amd64" | "arm64"} arch @param {string} node
 */
function startOf(arch, node) {
  if (arch === own) return [node];
  const [machine, libraries] = arch === "arm64" ? ["aarch64", "aarch64-linux-gnu"] : ["x86_64", "x86_64-linux-gnu"];
  const emulator = `/usr/bin/qemu-${machine}-static`;
  const root = `/usr/${libraries}`;
  return existsSync(emulator) && existsSync(join(root, "lib")) ? [emulator, "-L", root, node] : undefined;
}

/** What V8 shall have compiled: what all commands stand on. */
const commands = ["inspect empty.tar", "--help", "verify missing.tar", "install missing.tar"];
const spec = {
  apiVersion: "higress-airgap/v1",
  kind: "BundleSpec",
  name: "empty",
  version: "1",
  platforms: ["linux/amd64"],
};

/** Why: scripts/exe/compiled.cjs. */
const sameEachTime = ["--random-seed=1", "--min-semi-space-size=64", "--max-semi-space-size=64", "--no-memory-reducer"];

/**
 * What V8 has compiled of the program once commands were run, or nothing where the Node that it is for cannot be started
 * here.
 * @param {string} folder where program/ is; `compiled/` is written beside it @param {string[] | undefined} start
 */
async function compile(folder, start) {
  const out = join(folder, "compiled");
  await mkdir(out);
  for (const name of await readdir(join(folder, "program"))) await writeFile(join(out, name), "");
  if (start === undefined) return;
  await symlink(resolve("manifests"), join(folder, "manifests"));
  await writeFile(join(folder, "bundle.yaml"), JSON.stringify(spec));
  await runCommands(folder, [process.execPath], "none", ["build bundle.yaml --out empty.tar"]);
  await runCommands(folder, [...start, ...sameEachTime], "compiled", commands);
}

/**
 * @param {string} folder @param {string[]} node a Node, and what it is started with @param {string} out @param {string[]} words
 */
async function runCommands(folder, [program = "", ...first], out, words) {
  const script = resolve("scripts/exe/compiled.cjs");
  const env = { PATH: "/usr/bin:/bin", HOME: folder, TMPDIR: folder, HIGRESS_AIRGAP_EXE_DIR: "" };
  await run(program, [...first, script, "program", out, ...words], { cwd: folder, env });
}

/**
 * @param {string} folder where program/ is @param {Record<string, string>} assets
 * @param {{ node: string[], start: string[] | undefined }} how `node`: of any architecture; `start`: of the one that it is for
 */
async function makeBlob(folder, assets, { node: [program = "", ...first], start }) {
  await compile(folder, start);
  const names = (await readdir(join(folder, "program"))).sort();
  const own = names.flatMap((name) =>
    ["program", "compiled"].map((kind) => [`${kind}/${name}`, join(folder, kind, name)]),
  );
  const config = {
    // The blob says this name, so it must not be that of a temporary folder.
    main: "start.cjs",
    output: "sea.blob",
    assets: { ...assets, ...Object.fromEntries(own) },
    disableExperimentalSEAWarning: true,
    useCodeCache: false,
    useSnapshot: false,
    // A NODE_OPTIONS of the host must not reach in.
    execArgvExtension: "none",
  };
  await bundleStart(join(folder, config.main));
  await writeFile(join(folder, "sea.json"), JSON.stringify(config));
  await run(program, [...first, "--experimental-sea-config", "sea.json"], { cwd: folder });
  return readFile(join(folder, config.output));
}

/** Never strip, before or after: both orders give a file that dies at start (postject#90). */
async function makeExecutable(/** @type {string} */ node, /** @type {Buffer} */ blob, /** @type {string} */ path) {
  await copyFile(node, path);
  await chmod(path, 0o755);
  await quietly(() =>
    inject(path, "NODE_SEA_BLOB", blob, { sentinelFuse: "NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2" }),
  );
  return createHash("sha256")
    .update(await readFile(path))
    .digest("hex");
}

/** LIEF warns on stdout about sections of Node that it does not know and does not touch. */
async function quietly(/** @type {() => Promise<void>} */ work) {
  const { log, warn, error } = console;
  const said = /** @type {unknown[][]} */ ([]);
  console.log = console.warn = console.error = (...words) => void said.push(words);
  try {
    await work();
  } catch (cause) {
    throw new Error(said.flat().join("\n"), { cause });
  } finally {
    Object.assign(console, { log, warn, error });
  }
}

/**
 * Makes the same bytes twice, each time in a folder of its own. On a busy machine two answers of the file system may
 * come in another order, and V8 numbers what it then compiles for the first time: so there are four times to do it.
 * @template T
 * @param {string} what
 * @param {(folder: string) => Promise<{ bytes: Buffer, rest: T }>} make
 */
async function twice(what, make) {
  const seen = new Set();
  for (const time of ["first", "second", "third", "fourth"]) {
    const folder = join(work, what, time);
    await mkdir(folder, { recursive: true });
    const { bytes, rest } = await make(folder);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    if (seen.has(sha256)) return { bytes, rest, sha256 };
    seen.add(sha256);
  }
  throw new Error(`${what}: ${seen.size} builds differ`);
}

const work = await mkdtemp(join(tmpdir(), "higress-airgap-exe-"));
try {
  const licences = join(out, "licences");
  await mkdir(licences, { recursive: true });
  const bases =
    given > 0
      ? [{ arch: own, node: resolve(process.argv[given + 1] ?? ""), licence: undefined }]
      : await Promise.all([fetchBase("amd64", work), fetchBase("arm64", work)]);
  const host = bases.find(({ arch }) => arch === own);
  if (host === undefined) throw new Error(`no Node for ${own}`);
  if (host.licence !== undefined) await copyFile(host.licence, join(licences, "node.txt"));
  const { rest: program } = await twice("program", async (folder) => {
    const { modules, metafile } = await bundleProgram();
    for (const [name, text] of modules) await writeFile(join(folder, name), text, "latin1");
    return { bytes: Buffer.from([...modules].flat().join("\n")), rest: { folder, metafile } };
  });
  await writeFile(join(licences, "THIRD-PARTY-NOTICES.txt"), await thirdPartyNotices(program.metafile));
  const assets = await assetsOf(licences);
  const sums = [];
  for (const { arch, node } of bases) {
    const name = `higress-airgap-linux-${arch}`;
    const start = startOf(arch, node);
    if (start === undefined) process.stdout.write(`${name}: no qemu for it here, so it starts slower than it could\n`);
    const how = { node: [host.node], start };
    const blob = await twice(`${name}.blob`, async (folder) => {
      await cp(program.folder, join(folder, "program"), { recursive: true });
      return { bytes: await makeBlob(folder, assets, how), rest: undefined };
    });
    const made = await twice(name, async (folder) => {
      await makeExecutable(node, blob.bytes, join(folder, name));
      return { bytes: await readFile(join(folder, name)), rest: undefined };
    });
    await writeFile(join(out, `${name}.partial`), made.bytes, { mode: 0o755 });
    await rename(join(out, `${name}.partial`), join(out, name));
    sums.push(`${made.sha256}  ${name}\n`);
  }
  await writeFile(join(out, "SHA256SUMS"), sums.join(""));
  process.stdout.write(sums.join(""));
} finally {
  await rm(work, { recursive: true, force: true });
}
