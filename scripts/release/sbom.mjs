// @ts-check
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { packagesIn } from "../bundle/notices.mjs";
import { nodeVersion } from "../exe/base.mjs";

/**
 * https://cyclonedx.org/docs/1.6/json/ of the program itself: the packages that have a line in it, and the Node that the
 * executables are made of. `npm sbom` would list what builds it, and stamp every run with another time and number.
 * @param {{ name: string, version: string, license: string, description: string }} own
 * @param {import("esbuild").Metafile} metafile
 * @param {string} timestamp of the source, so that the same source gives the same bytes
 */
export async function programSbom(own, metafile, timestamp) {
  const lock = JSON.parse(await readFile("package-lock.json", "utf8"));
  const packages = await packagesIn(metafile);
  const components = [node(), ...packages.map((each) => library(each, lock.packages[each.folder]?.integrity))];
  const root = `pkg:npm/${own.name}@${own.version}`;
  const refs = components.map((each) => each["bom-ref"]);
  return {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    serialNumber: `urn:uuid:${uuidOf([root, timestamp, ...refs].join("\n"))}`,
    version: 1,
    metadata: {
      timestamp,
      component: { type: "application", "bom-ref": root, ...facts(own), description: own.description, purl: root },
    },
    components,
    dependencies: [{ ref: root, dependsOn: refs }, ...refs.map((ref) => ({ ref }))],
  };
}

/** @param {{ name: string, version: string, license: string }} of */
function facts({ name, version, license }) {
  const licence = / (OR|AND|WITH) /.test(license) ? { expression: license } : { license: { id: license } };
  return { name, version, licenses: [licence] };
}

/** Scanners find what is known against Node by the CPE. */
function node() {
  return {
    type: "platform",
    "bom-ref": `pkg:generic/node@${nodeVersion}`,
    ...facts({ name: "node", version: nodeVersion, license: "MIT" }),
    purl: `pkg:generic/node@${nodeVersion}`,
    cpe: `cpe:2.3:a:nodejs:node.js:${nodeVersion}:*:*:*:*:*:*:*`,
  };
}

/**
 * @param {{ name: string, version: string, license: string }} found
 * @param {string | undefined} integrity as the lock file pins it
 */
function library(found, integrity) {
  const purl = `pkg:npm/${found.name.replace("@", "%40")}@${found.version}`;
  const sha512 = integrity?.startsWith("sha512-")
    ? Buffer.from(integrity.slice(7), "base64").toString("hex")
    : undefined;
  if (sha512 === undefined) throw new Error(`${found.name}@${found.version}: package-lock.json has no sha512 for it`);
  return {
    type: "library",
    "bom-ref": purl,
    ...facts(found),
    hashes: [{ alg: "SHA-512", content: sha512 }],
    purl,
  };
}

/** RFC 9562, version 8: made of a hash. */
function uuidOf(/** @type {string} */ text) {
  const hex = createHash("sha256").update(text).digest("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    "-",
  );
}
