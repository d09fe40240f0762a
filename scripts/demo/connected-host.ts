import { copyFile, mkdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { Lock } from "../../src/model/lock.ts";
import { sampleContent, writeSampleSpec } from "../../test/rig/sample-site.ts";
import { seed } from "../../test/rig/seed.ts";
import type { Program } from "./program.ts";
import { aRegistry } from "./registry.ts";
import type { Screen } from "./screen.ts";
import type { Words } from "./words.ts";

export interface Scene {
  readonly folder: string;
  readonly screen: Screen;
  readonly words: Words;
}

export interface Built {
  readonly bundle: string;
  readonly bytes: number;
  readonly lock: Lock;
}

export const bundleName = "higress-2.2.4.tar";

/** Builds from a registry that is gone when this returns. */
export async function buildOnConnectedHost(scene: Scene & { readonly program: Program }): Promise<Built> {
  const { screen, words, program } = scene;
  const folder = join(scene.folder, "connected");
  await mkdir(folder);
  await using source = await aRegistry();
  await seed(source.url, sampleContent());
  await writeSampleSpec(folder, source.url);
  screen.title(words.connected);
  screen.say(words.source(source.kind, source.url));
  await program.run(folder, "build", "bundle.yaml", "--out", bundleName);
  const bundle = join(folder, bundleName);
  const lock = Lock.parse(JSON.parse(await readFile(`${bundle}.lock.json`, "utf8")));
  return { bundle, bytes: (await stat(bundle)).size, lock };
}

/** What a person does with a stick. */
export async function carry(built: Built, { folder, screen, words }: Scene): Promise<Built> {
  const closed = join(folder, "closed");
  await mkdir(closed);
  screen.title(words.carried);
  screen.command(`cp connected/${bundleName} closed/`);
  await copyFile(built.bundle, join(closed, bundleName));
  return { ...built, bundle: join(closed, bundleName) };
}
