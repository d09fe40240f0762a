import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";
import { beforeAll, describe, expect, it } from "vitest";
import { openHelm, type Helm } from "../../src/edge/process/helm.ts";
import type { Patch } from "../../src/model/relocation.ts";
import { madeChart } from "../rig/charts/made.ts";
import { aTempDirectory, type TempDirectory } from "../rig/temp-directory.ts";
import { helmLines, tools } from "../rig/tools.ts";

const job = (name: string, hook: string): string =>
  `apiVersion: batch/v1\nkind: Job\nmetadata: { name: ${name}${hook} }\nspec: { template: { spec: { containers: [{ name: a, image: "busybox:1.36" }] } } }\n`;
const chart = madeChart("c", {
  "templates/a.yaml": `${job("plain", "")}---\n${job("hook", ', annotations: { "helm.sh/hook": post-install }')}`,
});
const patches: readonly Patch[] = ["plain", "hook"].map((name) => ({
  kind: "Job",
  name,
  path: "/spec/template/spec/containers/*/image",
  from: "busybox:1.36",
  to: "harbor.corp/p/busybox:1.36",
}));

describe.each(helmLines)("what no value reaches, by Helm %s", (line) => {
  let folder: TempDirectory & AsyncDisposable;
  beforeAll(async () => {
    folder = await aTempDirectory();
    const contents = 'import { runProcess } from "./src/cli/process.ts"; process.exitCode = await runProcess();';
    await build({
      stdin: { contents, resolveDir: process.cwd(), loader: "ts" },
      bundle: true,
      platform: "node",
      target: "node20",
      format: "esm",
      splitting: true,
      packages: "external",
      outdir: join(process.cwd(), ".cache/post-render"),
      outExtension: { ".js": ".mjs" },
    });
    await writeFile(join(folder.path, "c.tgz"), chart);
    return () => folder[Symbol.asyncDispose]();
  });
  const helm = async (): Promise<Helm> =>
    openHelm((await tools(line)).helm, {
      env: process.env,
      self: { command: process.execPath, args: [join(process.cwd(), ".cache/post-render/stdin.mjs")] },
    });
  const source = (some: readonly Patch[]) => ({
    chart: join(folder.path, "c.tgz"),
    release: "r",
    namespace: "n",
    kubeVersion: "1.30.0",
    values: [],
    patches: some,
  });

  it("is replaced by this program after helm has rendered; Helm 3 keeps its hooks to itself", async () => {
    await using opened = await helm();
    const manifest = await opened.template(source(patches), { includeCrds: false });
    expect(manifest.match(/harbor\.corp\/p\/busybox:1\.36/g)).toHaveLength(line.startsWith("3") ? 1 : 2);
  });

  it("is left as it is without patches, and two renders side by side do not meet", async () => {
    await using opened = await helm();
    const [plain, patched] = await Promise.all([
      opened.template(source([]), { includeCrds: false }),
      opened.template(source(patches), { includeCrds: false }),
    ]);
    expect(plain).not.toContain("harbor.corp");
    expect(patched).toContain("harbor.corp/p/busybox:1.36");
  });
});
