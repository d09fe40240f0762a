import { join } from "node:path";
import type { Graph } from "./builders/graph.ts";
import { cli, type CliResult } from "./cli.ts";
import { aFaultServer, type FaultServer } from "./fault-server.ts";
import { aDockerRegistry } from "./registry-process.ts";
import { sampleContent, writeSampleSpec } from "./sample-site.ts";
import { seed } from "./seed.ts";
import { aTempDirectory } from "./temp-directory.ts";
import { tools } from "./tools.ts";

/** A host that reaches the public registry, with every request on record. */
export interface ConnectedSide extends AsyncDisposable {
  readonly folder: string;
  readonly registry: FaultServer;
  /** Puts content under its public names; what was there before stays by digest only. */
  publish(content: Readonly<Record<string, Graph>>): Promise<void>;
  /** Runs `build` on the sample's spec, to `name` in the folder. @throws unless it succeeds */
  build(name: string, ...args: readonly string[]): Promise<string>;
  run(...args: readonly string[]): Promise<CliResult>;
}

export async function aConnectedSide(content = sampleContent()): Promise<ConnectedSide> {
  const opened: AsyncDisposable[] = [];
  const keep = async <T extends AsyncDisposable>(starting: Promise<T>): Promise<T> => {
    const resource = await starting;
    opened.push(resource);
    return resource;
  };
  const close = async (): Promise<void> => {
    for (const resource of opened.toReversed()) await resource[Symbol.asyncDispose]();
  };
  try {
    return { ...(await start(content, keep)), [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

type Keep = <T extends AsyncDisposable>(starting: Promise<T>) => Promise<T>;

async function start(content: Readonly<Record<string, Graph>>, keep: Keep) {
  const { path: folder } = await keep(aTempDirectory());
  const source = await keep(aDockerRegistry());
  const registry = await keep(aFaultServer({ upstream: source.url }));
  await seed(source.url, content);
  const spec = await writeSampleSpec(folder, registry.origin);
  const { helm } = await tools("3.17");
  const run = (...args: readonly string[]): Promise<CliResult> => cli(args, { cwd: folder });
  return {
    folder,
    registry,
    publish: (more: Readonly<Record<string, Graph>>) => seed(source.url, more),
    run,
    async build(name: string, ...args: readonly string[]): Promise<string> {
      const path = join(folder, name);
      const built = await run("build", spec, "--out", path, "--helm", helm, ...args);
      if (built.exitCode !== 0) throw new Error(`${String(built.exitCode)}\n${built.stdout}\n${built.stderr}`);
      return path;
    },
  };
}
