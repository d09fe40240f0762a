import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { writeDockerArchive } from "../../edge/archive/docker-archive.ts";
import { Failure } from "../../model/failure.ts";
import type { Finding } from "../../model/finding.ts";
import type { LockItem } from "../../model/lock.ts";
import type { Platform } from "../../model/platform.ts";
import { parseReference } from "../../model/reference.ts";
import { printBytes } from "../../std/bytes.ts";
import type { Bundle } from "../../stages/bundle/open.ts";
import { isOfComposeSet, missingServices } from "../../stages/standalone/compose.ts";
import type { Context } from "../context.ts";

const repositoryOf = ({ reference }: LockItem): string => parseReference(reference).repository;

/** @throws Failure CONTENT_MISSING when the bundle was built without it */
export function allInOneImage(bundle: Bundle): LockItem {
  const image = bundle.document.items.find(
    (item) => item.kind === "image" && /(^|\/)all-in-one$/.test(repositoryOf(item)),
  );
  if (image === undefined)
    throw new Failure("CONTENT_MISSING", { what: "higress/all-in-one", where: bundle.source.name }, { side: "bundle" });
  return image;
}

export function composeImages({ document }: Bundle): {
  readonly items: readonly LockItem[];
  readonly findings: readonly Finding[];
} {
  const items = document.items.filter((item) => item.kind === "image" && isOfComposeSet(repositoryOf(item)));
  return { items, findings: missingServices(items.map(repositoryOf)) };
}

export interface ArchiveOptions {
  readonly bundle: Bundle;
  readonly platform: Platform;
  readonly folder: string;
  readonly context: Context;
}

/** One archive for `docker load` each, named after the image, relative to `folder`. */
export async function writeArchives(
  items: readonly LockItem[],
  { bundle, platform, folder, context }: ArchiveOptions,
): Promise<readonly { readonly name: string; readonly reference: string }[]> {
  await mkdir(join(folder, "images"), { recursive: true });
  const written: { name: string; reference: string }[] = [];
  for (const { reference, root, bytes } of items) {
    const { registry, repository, tag = "latest" } = parseReference(reference);
    const name = `images/${[registry, repository, tag].join("_").replaceAll(/[^A-Za-z0-9._-]/g, "_")}.tar`;
    const archive = await writeDockerArchive({
      image: root,
      content: bundle,
      reference,
      platform,
      path: join(folder, name),
      signal: context.signal,
    });
    context.reporter.report({
      type: "note",
      text: "written",
      facts: { path: join(folder, name), size: printBytes(bytes) },
    });
    written.push({ name, reference: archive.reference });
  }
  return written;
}
