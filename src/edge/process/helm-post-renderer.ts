import { randomUUID } from "node:crypto";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Patch } from "../../model/relocation.ts";

/** A program and what stands before its own arguments. */
export interface ProgramStart {
  readonly command: string;
  readonly args: readonly string[];
}

/** First argument of the process that helm starts; nobody types it. */
const postRenderWord = "__post-render";

export interface PostRendererHost {
  readonly env: Readonly<Record<string, string>>;
  readonly folder: string;
  readonly version: string;
  readonly self: ProgramStart | undefined;
}

/**
 * Gives `use` the arguments with which helm hands what it rendered to this program, and applies what comes back. Helm 3
 * starts any program and leaves hooks out; Helm 4 starts a plugin and gives it hooks too.
 * https://helm.sh/docs/topics/advanced/#post-rendering
 */
export async function withPostRenderer<T>(
  { env, folder, version, self }: PostRendererHost,
  patches: readonly Patch[],
  use: (args: readonly string[]) => Promise<T>,
): Promise<T> {
  if (patches.length === 0) return use([]);
  if (self === undefined) throw new TypeError("patches, and nobody said how this program is started");
  const file = join(folder, `patches-${randomUUID()}.json`);
  await writeFile(file, JSON.stringify(patches), { mode: 0o600, flag: "wx" });
  try {
    const isPlugin = Number.parseInt(version, 10) >= 4;
    if (isPlugin) await writePlugin(env["HELM_PLUGINS"] ?? join(folder, "plugins"), self);
    const own = isPlugin ? [file] : [...self.args, postRenderWord, file];
    const renderer = isPlugin ? pluginName : self.command;
    return await use(["--post-renderer", renderer, ...own.flatMap((arg) => ["--post-renderer-args", arg])]);
  } finally {
    await rm(file, { force: true });
  }
}

const pluginName = "higress-airgap";

async function writePlugin(plugins: string, { command, args }: ProgramStart): Promise<void> {
  const folder = join(plugins, pluginName);
  await mkdir(folder, { recursive: true });
  const document = {
    apiVersion: "v1",
    type: "postrenderer/v1",
    name: pluginName,
    version: "1.0.0",
    runtime: "subprocess",
    runtimeConfig: { platformCommand: [{ command, args: [...args, postRenderWord] }] },
  };
  // JSON is YAML. Another helm may be reading it: it is there whole or not at all, and the same every time.
  const partial = join(folder, `${randomUUID()}.tmp`);
  await writeFile(partial, JSON.stringify(document), { mode: 0o600 });
  await rename(partial, join(folder, "plugin.yaml"));
}
