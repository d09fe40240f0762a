import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const pathOf = (script: string): string =>
  execFileSync("/bin/sh", [fileURLToPath(new URL(script, import.meta.url)), "--path"], { encoding: "utf8" }).trim();

export interface BuiltPlugin {
  readonly path: string;
  /** Why it is not there. */
  readonly unavailable: string | undefined;
}

function builtBy(script: string): BuiltPlugin {
  const path = pathOf(script);
  return { path, unavailable: existsSync(path) ? undefined : `there is no ${path}: run test/rig/wasm/${script}` };
}

/** The plugin of `go-plugin/`. */
export const goPlugin = (): BuiltPlugin => builtBy("build.sh");

/** The plugin of `assemblyscript-plugin/`. */
export const assemblyScriptPlugin = (): BuiltPlugin => builtBy("build-assemblyscript.sh");

/** The plugin of `rust-plugin/`. */
export const rustPlugin = (): BuiltPlugin => builtBy("build-rust.sh");

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
