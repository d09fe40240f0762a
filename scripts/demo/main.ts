import { mkdir, readdir, rm } from "node:fs/promises";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { chooseLanguage } from "../../src/ui/language.ts";
import { buildOnConnectedHost, carry } from "./connected-host.ts";
import { workOnClosedHost } from "./closed-host.ts";
import { Program } from "./program.ts";
import { Screen } from "./screen.ts";
import { wordsOf } from "./words.ts";
import { tools } from "../../test/rig/tools.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** The whole demo; returns the exit code. Files stay in `folder`, for people to look at. */
export async function main(folder = join(root, ".cache/demo")): Promise<number> {
  const started = Date.now();
  const words = wordsOf(chooseLanguage(undefined, process.env));
  const screen = new Screen((text) => process.stdout.write(text), process.stdout.isTTY);
  try {
    const place = await freshFolder(folder);
    const found = await tools("4.2");
    const program = new Program({ screen, env: process.env, folder: place, tools: found });
    screen.title(words.title);
    screen.say(words.stands);
    const built = await buildOnConnectedHost({ folder: place, program, screen, words });
    const bundle = await carry(built, { folder: place, screen, words });
    const closed = await workOnClosedHost(bundle, { folder: place, program, screen, words, tools: found });
    screen.title(words.done(((Date.now() - started) / 1000).toFixed(1)));
    screen.table(words.summary(built, closed));
    screen.say(words.files(relative(process.cwd(), place)));
    return 0;
  } catch (error) {
    screen.title(words.failed);
    screen.say(error instanceof Error ? error.message : String(error));
    return 1;
  }
}

/** The default one is ours and begins empty each time; one that was named is used only while nothing is in it. */
async function freshFolder(folder: string): Promise<string> {
  if (folder === join(root, ".cache/demo")) await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  if ((await readdir(folder)).length > 0) throw new Error(`${folder} is not empty`);
  return folder;
}
