import type { LockItem } from "../../model/lock.ts";
import { parseReference, type Reference } from "../../model/reference.ts";
import type { Mapped } from "../../model/relocation.ts";
import { shellWord } from "../../std/shell-word.ts";

/** What loads archives of images on a node that has no registry. */
export const imageLoaders = ["containerd", "k3s", "rke2", "docker"] as const;
export type ImageLoader = (typeof imageLoaders)[number];

/**
 * What pods will ask for: the public names, since nothing rewrites them where there is no site, and those on the target
 * otherwise. A runtime compares names as text, so that a tag and a digest are a name each.
 */
export function namesOnNodes(item: LockItem, targets?: Mapped["targets"]): readonly Reference[] {
  const originals = [item.reference, ...item.aliases].map(parseReference);
  const byDigest = originals.some(({ digest }) => digest !== undefined);
  const asked = targets?.map((target) => ({ ...target, digest: byDigest ? item.root.digest : undefined })) ?? originals;
  return asked.flatMap(({ registry, repository, tag, digest }) => [
    ...(tag === undefined ? [] : [{ registry, repository, tag }]),
    ...(digest === undefined ? [] : [{ registry, repository, digest }]),
  ]);
}

/** A script for a node: run again, it does no harm. `archive` lies beside it, and holds images of these names. */
export function loadScript(loader: ImageLoader, archive: string, names: readonly string[]): string {
  const file = shellWord(archive);
  return ["#!/bin/sh", "set -eu", 'cd "$(dirname "$0")"', ...steps[loader](file, names), ""].join("\n");
}

const steps: Readonly<Record<ImageLoader, (file: string, names: readonly string[]) => readonly string[]>> = {
  containerd: (file, names) => imported("ctr", file, names),
  k3s: (file, names) => rancher("k3s", "k3s ctr", file, names),
  // https://docs.rke2.io/reference/cli_tools: its containerd listens at the place of k3s's.
  rke2: (file, names) =>
    rancher("rke2", "/var/lib/rancher/rke2/bin/ctr --address /run/k3s/containerd/containerd.sock", file, names),
  docker: (file) => [`docker load --input ${file}`],
};

/**
 * What lies in the folder is imported at every start (https://docs.k3s.io/import-images); releases before 2025 do not look
 * there in between, so one that runs is told.
 */
function rancher(product: string, ctr: string, file: string, names: readonly string[]): readonly string[] {
  return [
    `install -D -m 0644 ${file} /var/lib/rancher/${product}/agent/images/${file}`,
    `if ${ctr} version >/dev/null 2>&1; then`,
    ...imported(ctr, file, names).map((line) => `  ${line}`),
    "fi",
  ];
}

/** Kubelet removes what no pod uses once the disk gets full, and nothing could pull it again: pinned, it stays. */
function imported(ctr: string, file: string, names: readonly string[]): readonly string[] {
  return [
    `${ctr} -n k8s.io images import ${file}`,
    ...names.map((name) => `${ctr} -n k8s.io images label ${shellWord(name)} io.cri-containerd.pinned=pinned`),
  ];
}
