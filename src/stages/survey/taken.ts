import type { ClusterSnapshot, LeftOut, LeftOutReason } from "../../model/cluster-snapshot.ts";
import { isFetchedInside } from "../../model/inside.ts";
import type { KubeObject } from "../../model/kubernetes.ts";
import { ociReference } from "../../model/reference.ts";
import { mapAt, textAt, whereOf } from "../../model/rendered-object.ts";
import type { Values } from "../../model/values.ts";
import { withoutSecrets } from "./secrets.ts";
import { asWritten } from "./unreleased.ts";

/** What is taken of a cluster, without its secrets, and told of all that is not. */
export class SnapshotCollector {
  readonly leftOut: LeftOut[] = [];

  leave(reason: LeftOutReason, where: string): void {
    this.leftOut.push({ reason, where });
  }

  values(values: Values): Values {
    const { kept, left } = withoutSecrets(values);
    for (const path of left) this.leave("secret", `values ${path}`);
    return kept;
  }

  /** Only those whose module can be carried, or stays where it is. */
  plugins(all: readonly KubeObject[]): Pick<ClusterSnapshot, "plugins" | "incompletePlugins"> {
    const plugins: KubeObject[] = [];
    const incompletePlugins: KubeObject[] = [];
    for (const plugin of all) {
      const url = textAt(mapAt(plugin, "spec"), "url") ?? "";
      if (ociReference(url) === undefined && !isFetchedInside(url, { prefixes: [] })) {
        this.leave("plugin-unreachable", `${whereOf(plugin)} ${withoutLogin(url)}`);
        continue;
      }
      const { kept, whole } = this.#safe(plugin);
      if (!whole) this.leave("plugin-incomplete", whereOf(plugin));
      (whole ? plugins : incompletePlugins).push(kept);
    }
    return { plugins, incompletePlugins };
  }

  /** `isMade`: by the chart of the release, so that an install makes it too. */
  objects(
    all: readonly KubeObject[],
    isMade: (object: KubeObject) => boolean,
  ): Pick<ClusterSnapshot, "settings" | "objects"> {
    const safe = all.map((object) => ({ ...this.#safe(object), made: isMade(object) }));
    const settings = safe.filter(({ whole, made }) => whole && made);
    const objects = safe.filter((one) => !settings.includes(one));
    return { settings: settings.map(({ kept }) => kept), objects: objects.map(({ kept }) => kept) };
  }

  images(images: ClusterSnapshot["images"]): ClusterSnapshot["images"] {
    for (const { reference, digests } of images) {
      if (digests.length === 0) this.leave("image-undigested", reference);
      if (digests.length > 1) this.leave("image-moved", `${reference}: ${digests.join(", ")}`);
    }
    return images;
  }

  /** As it was written, less its secrets. */
  #safe(object: KubeObject): { readonly kept: KubeObject; readonly whole: boolean } {
    const { apiVersion, kind, metadata, ...rest } = asWritten(object);
    const { labels, annotations, ...identity } = metadata;
    const { kept, left } = withoutSecrets({ metadata: { labels, annotations }, ...rest });
    for (const path of left) this.leave("secret", `${whereOf(object)} ${path}`);
    const { metadata: marks, ...body } = kept as typeof kept & { readonly metadata?: object };
    return { kept: { apiVersion, kind, metadata: { ...identity, ...marks }, ...body }, whole: left.length === 0 };
  }
}

/** A login, and parameters, by which object storage is signed for. */
function withoutLogin(url: string): string {
  return url
    .replace(/:\/\/[^/]*@/, "://***@")
    .replace(/[?#][^]*$/, "?***")
    .slice(0, 500);
}
