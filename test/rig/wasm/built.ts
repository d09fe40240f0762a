import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const pathOf = (script: string): string =>
  execFileSync("/bin/sh", [fileURLToPath(new URL(script, import.meta.url)), "--path"], { encoding: "utf8" }).trim();

/** The plugin of `go-plugin/`, or why it is not there. */
export function goPlugin(): { readonly path: string; readonly unavailable: string | undefined } {
  const path = pathOf("build.sh");
  return { path, unavailable: existsSync(path) ? undefined : `there is no ${path}: run test/rig/wasm/build.sh` };
}

/** The plugin of `assemblyscript-plugin/`, or why it is not there. */
export function assemblyScriptPlugin(): { readonly path: string; readonly unavailable: string | undefined } {
  const path = pathOf("build-assemblyscript.sh");
  const unavailable = `there is no ${path}: run test/rig/wasm/build-assemblyscript.sh`;
  return { path, unavailable: existsSync(path) ? undefined : unavailable };
}

export interface RealPlugin {
  readonly name: string;
  readonly version: string;
  readonly path: string;
}

/** Plugins that others built and ship, or why they are not there. */
export function realPlugins(): { readonly plugins: readonly RealPlugin[]; readonly unavailable: string | undefined } {
  const folder = pathOf("fetch-real.sh");
  if (!existsSync(folder))
    return { plugins: [], unavailable: `there is no ${folder}: run test/rig/wasm/fetch-real.sh` };
  const plugins = readdirSync(folder).flatMap((name) =>
    readdirSync(join(folder, name)).map((version) => ({
      name,
      version,
      path: join(folder, name, version, "plugin.wasm"),
    })),
  );
  return { plugins, unavailable: undefined };
}
