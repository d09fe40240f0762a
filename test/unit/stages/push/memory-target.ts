import type { PushSource, PushTarget, TargetRepository } from "../../../../src/stages/push/ports.ts";
import { verified } from "../../../../src/content/verified.ts";
import type { Descriptor } from "../../../../src/model/descriptor.ts";
import { digestOf, type Digest } from "../../../../src/model/digest.ts";
import { Failure } from "../../../../src/model/failure.ts";
import { parseManifest, successors } from "../../../../src/model/manifest.ts";
import { isManifest } from "../../../../src/model/media-type.ts";
import { collect } from "../../../../src/std/collect.ts";
import { aStore, type Seed } from "../../../rig/graph.ts";

type Step = "head" | "has" | "push" | "mount" | "tag";

export interface Call {
  readonly step: Step;
  readonly repository: string;
  readonly what: string;
}

/**
 * A registry that keeps to the rules that matter to a push: a manifest is refused while what it names is not in its
 * repository. `before` runs ahead of each step and may throw what a real one would.
 */
export class MemoryTarget implements PushTarget {
  readonly calls: Call[] = [];
  readonly blobs = new Map<string, Uint8Array>();
  readonly tags = new Map<string, Descriptor>();
  mounts = true;
  before: (call: Call) => void | Promise<void> = () => undefined;

  count(step: Step): number {
    return this.calls.filter((call) => call.step === step).length;
  }

  /** Bytes of blobs that were sent, manifests not counted. */
  uploaded = 0;

  repository(name: string): TargetRepository {
    const key = (digest: string): string => `${name}@${digest}`;
    const called = async (step: Step, what: string): Promise<void> => {
      const call = { step, repository: name, what };
      this.calls.push(call);
      await this.before(call);
    };
    const store = (descriptor: Descriptor, bytes: Uint8Array): void => {
      if (isManifest(descriptor.mediaType)) refuseMissing(descriptor, bytes, (digest) => this.blobs.has(key(digest)));
      else this.uploaded += bytes.byteLength;
      this.blobs.set(key(descriptor.digest), bytes);
    };
    return {
      head: async (pointer) => {
        await called("head", pointer);
        return this.tags.get(`${name}:${pointer}`) ?? this.#manifest(key(pointer));
      },
      has: async (descriptor) => {
        await called("has", descriptor.digest);
        return this.blobs.has(key(descriptor.digest));
      },
      push: async (descriptor, open, options) => {
        await called("push", descriptor.digest);
        const bytes = await collect(verified(open(0), descriptor, "source"), 1 << 20);
        options?.onBytes?.(bytes.byteLength);
        store(descriptor, bytes);
      },
      mount: async (descriptor, from) => {
        await called("mount", descriptor.digest);
        const bytes = this.blobs.get(`${from}@${descriptor.digest}`);
        if (!this.mounts || bytes === undefined) return false;
        this.blobs.set(key(descriptor.digest), bytes);
        return true;
      },
      tag: async (descriptor, bytes, tag) => {
        await called("tag", tag);
        store(descriptor, bytes);
        this.tags.set(`${name}:${tag}`, descriptor);
      },
      fetch: (descriptor) => bytesOf(this.blobs.get(key(descriptor.digest)), descriptor),
    };
  }

  #manifest(key: string): Descriptor | undefined {
    const bytes = this.blobs.get(key);
    return bytes && { mediaType: "application/octet-stream", digest: digestOf(bytes), size: bytes.byteLength };
  }
}

function refuseMissing(descriptor: Descriptor, bytes: Uint8Array, has: (digest: Digest) => boolean): void {
  const missing = successors(parseManifest(bytes, descriptor.mediaType)).filter(({ digest }) => !has(digest));
  if (missing.length > 0) throw blobUnknown(missing.map(({ digest }) => digest));
}

export function blobUnknown(digests: readonly Digest[]): Failure {
  const answer = `MANIFEST_BLOB_UNKNOWN: blob unknown to registry ${digests.join(" ")}`;
  return new Failure("REGISTRY_REFUSED", { host: "memory", action: "PUT", status: 400, answer }, { side: "target" });
}

export function refused(status: number, answer = ""): Failure {
  return new Failure("REGISTRY_REFUSED", { host: "memory", action: "?", status, answer }, { side: "target" });
}

// eslint-disable-next-line @typescript-eslint/require-await -- memory is not asynchronous; the port is
async function* bytesOf(bytes: Uint8Array | undefined, { digest }: Descriptor): AsyncGenerator<Uint8Array> {
  if (bytes === undefined)
    throw new Failure("REGISTRY_NOT_FOUND", { host: "memory", action: "GET", answer: digest }, { side: "target" });
  yield bytes;
}

/** A bundle that carries these seeds; `absent` are left out, as a delta does. */
export function aSource(seeds: readonly Seed[], absent: readonly Digest[] = []): PushSource {
  const store = aStore(...seeds);
  const left = new Set<Digest>(absent);
  return {
    fetch: (descriptor, options) => store.fetch(descriptor, options),
    hasBlob: (digest) => store.digests.has(digest) && !left.has(digest),
  };
}
