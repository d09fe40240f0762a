import { join, resolve } from "node:path";
import { platformImage, writeDockerArchive, type ArchivedImage } from "../../edge/archive/docker-archive.ts";
import { makeFolders } from "../../edge/disk/make-folders.ts";
import { isFailure } from "../../model/failure.ts";
import { finding, hasErrors, type Finding } from "../../model/finding.ts";
import { reportFindings } from "../../model/event.ts";
import type { LockItem } from "../../model/lock.ts";
import { plainName } from "../../model/names.ts";
import { printPlatform, type Platform } from "../../model/platform.ts";
import { printReference, type Reference } from "../../model/reference.ts";
import type { Bundle } from "../../content/open-bundle.ts";
import { imageLoaders, loadScript, namesOnNodes } from "../../stages/node-config/node-images.ts";
import { printBytes } from "../../std/bytes.ts";
import { catalogueOf } from "../../ui/language.ts";
import type { Context } from "../context.ts";
import { onePlatform, required, text, texts, type Flags } from "../define.ts";
import { ExitCode } from "../exit-code.ts";
import { writeNewFiles } from "../wire/new-files.ts";
import { openSiteBundle, openTrustedBundle } from "../wire/site-session.ts";

/** An image and what pods will ask for it by. */
interface AskedImage {
  readonly item: LockItem;
  readonly names: readonly Reference[];
}

/**
 * All images of one platform for nodes that have no registry: one archive that every runtime takes, in which each layer
 * is once, and a script for each runtime. Run again, it writes the same files.
 */
export default async function run(flags: Flags, context: Context): Promise<ExitCode> {
  const platform = onePlatform(flags);
  const out = resolve(context.cwd, required(flags, "out"));
  const chosen = texts(flags, "runtime");
  const loaders = imageLoaders.filter((loader) => chosen.length === 0 || chosen.includes(loader));
  await using opened = await openImages(flags, context);
  const { bundle, asked } = opened;
  const { images, findings } = await imagesFor(asked, { bundle, platform, signal: context.signal });
  const names = images.flatMap((image) => image.names);
  const lost = loaders.includes("docker") ? names.filter(({ digest }) => digest !== undefined) : [];
  const told = [
    ...findings,
    ...lost.map((name) => finding("warning", "reference.digest-lost", { reference: printReference(name) })),
  ];
  reportFindings(told, context.reporter.report);
  if (images.length === 0) return ExitCode.findings;
  const { name, version } = bundle.document;
  const { os, architecture, variant = [] } = platform;
  const file = `${plainName([name, version, "images", os, architecture, variant].flat().join("-"))}.tar`;
  await makeFolders(out);
  const path = join(out, file);
  const size = await writeDockerArchive({ images, content: bundle, path, signal: context.signal });
  context.reporter.report({ type: "note", text: "written", facts: { path, size: printBytes(size) } });
  const scripts = loaders.map((loader) => ({
    name: `load-${loader}.sh`,
    text: loadScript(loader, file, names.map(printReference)),
    mode: 0o755,
  }));
  await writeNewFiles(out, scripts, { overwrite: true, context });
  const { words } = catalogueOf(context.language);
  context.stdout.write(`# ${words["then-run"]}:\n${scripts.map((script) => `sh ${script.name}\n`).join("")}`);
  return hasErrors(told) ? ExitCode.findings : ExitCode.done;
}

async function openImages(flags: Flags, context: Context) {
  if (text(flags, "site") === undefined) {
    const bundle = await openTrustedBundle(flags, context);
    const images = bundle.document.items.filter(({ kind }) => kind === "image");
    const asked = images.map((item): AskedImage => ({ item, names: namesOnNodes(item) }));
    return { bundle, asked, [Symbol.asyncDispose]: () => bundle[Symbol.asyncDispose]() };
  }
  const { bundle, plan } = await openSiteBundle(flags, context);
  const images = plan.mapped.filter(({ item }) => item.kind === "image");
  const asked = images.map(({ item, targets }): AskedImage => ({ item, names: namesOnNodes(item, targets) }));
  return { bundle, asked, [Symbol.asyncDispose]: () => bundle[Symbol.asyncDispose]() };
}

interface ImagesOptions {
  readonly bundle: Bundle;
  readonly platform: Platform;
  readonly signal?: AbortSignal | undefined;
}

/** What lacks the platform is told, all of it; the rest is still of use to who built with --allow-missing. */
async function imagesFor(
  asked: readonly AskedImage[],
  { bundle, platform, signal }: ImagesOptions,
): Promise<{ readonly images: readonly ArchivedImage[]; readonly findings: readonly Finding[] }> {
  const images: ArchivedImage[] = [];
  const findings: Finding[] = [];
  for (const { item, names } of asked)
    try {
      const { root, reference } = item;
      images.push({ image: await platformImage({ root, content: bundle, reference, platform, signal }), names });
    } catch (error) {
      findings.push(unusable(item, platform, error));
    }
  return { images, findings };
}

function unusable({ reference, root }: LockItem, platform: Platform, error: unknown): Finding {
  if (isFailure(error, "PLATFORM_MISSING"))
    return finding("error", "bundle.platform-missing", {
      item: reference,
      platform: printPlatform(platform),
      has: error.facts.has,
    });
  if (isFailure(error, "MANIFEST_INVALID"))
    return finding("error", "bundle.manifest-unusable", {
      digest: root.digest,
      why: error.facts.why,
      items: reference,
    });
  throw error;
}
