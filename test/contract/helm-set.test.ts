import { execa } from "execa";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { setValues } from "../../src/model/set-values.ts";
import { aTempDirectory } from "../rig/temp-directory.ts";
import { helmLines, tools } from "../rig/tools.ts";

it.each(helmLines)(
  "helm %s makes the same values of --set",
  async (line) => {
    await using folder = await aTempDirectory();
    const { helm } = await tools(line);
    await mkdir(join(folder.path, "templates"));
    await writeFile(join(folder.path, "Chart.yaml"), "apiVersion: v2\nname: shown\nversion: 1.0.0\n");
    // Helm's own reader of YAML shows what it holds; ConfigMaps are not read on the way.
    await writeFile(join(folder.path, "templates/shown.yaml"), "shown: {{ .Values | toJson | quote }}\n");
    await writeFile(join(folder.path, "values.yaml"), "");
    const texts = [
      "a=b",
      "a.b=c,a.d=true",
      "a=1,b=007,c=1.5,d=-3,e=0",
      "a=",
      "a={x,y,2}",
      "a={}",
      "a[1].b=c",
      "a\\.b=c\\,d",
      "a=b=c",
      "a={x\\,y,z}",
    ];
    for (const text of texts) {
      const { stdout } = await execa(helm, ["template", "shown", folder.path, "--set", text]);
      const [, shown = ""] = /^shown: (".*")$/m.exec(stdout) ?? [];
      // A null is "without the default" for a chart; what is left of it is not shown by every line of Helm.
      expect(JSON.parse(JSON.parse(shown) as string), text).toEqual(setValues({}, text));
    }
  },
  60_000,
);
