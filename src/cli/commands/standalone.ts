import { reportFindings } from "../../model/event.ts";
import { join, resolve } from "node:path";
import { dirname } from "node:path/posix";
import { pluginTree } from "../../content/plugin-tree.ts";
import { platformImage, writeDockerArchive } from "../../edge/archive/docker-archive.ts";
import { exportPluginTree } from "../../edge/archive/plugin-export.ts";
import { makeFolders } from "../../edge/disk/make-folders.ts";
import { readAsset } from "../../edge/files/assets.ts";
import { Failure } from "../../model/failure.ts";
import { finding, hasErrors, type Finding } from "../../model/finding.ts";
import type { LockItem } from "../../model/lock.ts";
import { plainName } from "../../model/names.ts";
import type { Platform } from "../../model/platform.ts";
import { parseReference, printReference, type Reference } from "../../model/reference.ts";
import { carriedPlugins } from "../../pipeline/carried-plugins.ts";
import type { Bundle } from "../../content/open-bundle.ts";
import { composeSetKit, isOfComposeSet, missingServices } from "../../stages/standalone/compose.ts";
import type { StandaloneKit } from "../../stages/standalone/container.ts";
import { standaloneKit } from "../../stages/standalone/kit.ts";
import { officialRegistry } from "../../stages/plugins/urls.ts";
import { printBytes } from "../../std/bytes.ts";
import { dataElsewhere } from "../../ui/files.ts";
import type { Context } from "../context.ts";
import { onePlatform, text, type Flags } from "../define.ts";
import { ExitCode } from "../exit-code.ts";
import { openTrustedBundle } from "../wire/site-session.ts";
import { writeNewFiles } from "../wire/new-files.ts";

const modes = ["all-in-one", "compose"] as const;
const engines = ["docker", "podman"] as const;
const directory = "plugins";

/** Run again after an interruption it goes on: plugins that are there stay, archives and files replace their like. */
export default async function run(flags: Flags, context: Context): Promise<ExitCode> {
  const mode = choice(flags, "mode", modes) ?? "all-in-one";
  const engine = choice(flags, "runtime", engines);
  const platform = onePlatform(flags);
  const out = resolve(context.cwd, text(flags, "out") ?? `higress-${mode}`);
  await using bundle = await openTrustedBundle(flags, context);
  const images = mode === "compose" ? composeImages(bundle) : allInOneImage(bundle);
  if (images.items.length === 0) {
    reportFindings(images.findings, context.reporter.report);
    return ExitCode.findings;
  }
  const tree = await pluginTree(bundle.document.items, bundle, { signal: context.signal });
  await exportPluginTree(tree, join(out, directory), context.signal);
  const written = await writeArchives(images.items, { bundle, platform, folder: out, context });
  const input = { ...carriedInput(bundle), archives: written.map(({ name }) => name), engine };
  const kit: StandaloneKit =
    mode === "compose"
      ? composeSetKit({ ...input, directory })
      : standaloneKit({
          ...input,
          image: written[0]?.reference ?? "",
          dataElsewhere,
          plugins: { from: "directory", directory },
        });
  const findings = [...images.findings, ...kit.findings];
  reportFindings(findings, context.reporter.report);
  const readme = { name: "README.txt", text: await readAsset("manifests/standalone/README.txt") };
  await writeNewFiles(out, [readme, ...kit.files], { overwrite: true, context });
  return hasErrors(findings) ? ExitCode.findings : ExitCode.done;
}

function carriedInput(bundle: Bundle) {
  return { carried: carriedPlugins(bundle).map(({ item, version }) => ({ name: item.name, version })) };
}

function choice<const T extends string>(flags: Flags, name: "mode" | "runtime", choices: readonly T[]): T | undefined {
  const value = text(flags, name);
  const found = choices.find((each) => each === value);
  if (value !== undefined && found === undefined)
    throw new Failure("USAGE", { what: `--${name} ${value}`, wrong: "allowed", wanted: choices.join(", ") });
  return found;
}

const repositoryOf = ({ reference }: LockItem): string => parseReference(reference).repository;

interface KitImages {
  readonly items: readonly LockItem[];
  readonly findings: readonly Finding[];
}

/** No chart names it: a bundle has it when its spec does, and who lacks it is told the line to write there. */
function allInOneImage({ document: { items, version } }: Pick<Bundle, "document">): KitImages {
  const images = items.filter(({ kind }) => kind === "image");
  const image = images.find((item) => /(^|\/)all-in-one$/.test(repositoryOf(item)));
  if (image !== undefined) return { items: [image], findings: [] };
  const missing = { image: `${folderOfHigress(images)}/all-in-one:${version}` };
  return { items: [], findings: [finding("error", "standalone.image-missing", missing)] };
}

/** Where the images of Higress come from, and so those that are missing. */
function folderOfHigress(items: readonly LockItem[]): string {
  const sibling = items.map(({ reference }) => parseReference(reference)).find(isOfHigress);
  return sibling === undefined ? `${officialRegistry}/higress` : `${sibling.registry}/${dirname(sibling.repository)}`;
}

const isOfHigress = ({ repository }: Reference): boolean => /(^|\/)higress\/[^/]+$/.test(repository);

function composeImages({ document }: Bundle): KitImages {
  const images = document.items.filter(({ kind }) => kind === "image");
  const items = images.filter((item) => isOfComposeSet(repositoryOf(item)));
  return { items, findings: missingServices(items.map(repositoryOf), folderOfHigress(images)) };
}

export interface ArchiveOptions {
  readonly bundle: Bundle;
  readonly platform: Platform;
  readonly folder: string;
  readonly context: Context;
}

/** One archive for `docker load` each, named after the image, relative to `folder`. */
async function writeArchives(
  items: readonly LockItem[],
  { bundle, platform, folder, context }: ArchiveOptions,
): Promise<readonly { readonly name: string; readonly reference: string }[]> {
  await makeFolders(join(folder, "images"));
  const written: { name: string; reference: string }[] = [];
  const { signal } = context;
  for (const { reference, root } of items) {
    const { registry, repository, tag = "latest" } = parseReference(reference);
    const name = `images/${plainName([registry, repository, tag].join("_"))}.tar`;
    const path = join(folder, name);
    const image = await platformImage({ root, content: bundle, reference, platform, signal });
    // `docker load` cannot keep a digest.
    const called = { registry, repository, tag };
    const size = await writeDockerArchive({ images: [{ image, names: [called] }], content: bundle, path, signal });
    context.reporter.report({ type: "note", text: "written", facts: { path, size: printBytes(size) } });
    written.push({ name, reference: printReference(called) });
  }
  return written;
}
