// @ts-check
// Bundles the program into dist/: one entry, commands as lazy chunks, so that --version does not load undici and helm's
// driver. Run twice it gives the same bytes.
import { chmod, rename, rm, writeFile } from "node:fs/promises";
import { build } from "esbuild";
import { thirdPartyNotices } from "./bundle/notices.mjs";
import { manyFiles } from "./bundle/options.mjs";

// Beside, then in place: a build that fails leaves what was there.
const fresh = `.cache/dist-${process.pid}`;
const result = await build({ ...(await manyFiles()), entryPoints: { main: "src/main.ts" }, outdir: fresh });
await chmod(`${fresh}/main.mjs`, 0o755);
// The libraries are inside, so that the package needs none; their licences ask to be told with them.
await writeFile(`${fresh}/THIRD-PARTY-NOTICES.txt`, await thirdPartyNotices(result.metafile));
await rm("dist", { recursive: true, force: true });
await rename(fresh, "dist");
const bytes = Object.values(result.metafile.outputs).reduce((sum, output) => sum + output.bytes, 0);
process.stdout.write(`dist: ${Object.keys(result.metafile.outputs).length} files, ${(bytes / 1e6).toFixed(1)} MB\n`);
