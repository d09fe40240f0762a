import type { DescribedContent, FetchOptions, Resolver, Store, Tagger, TransferOptions } from "../../content/store.ts";
import { verified } from "../../content/verified.ts";
import { maxManifestSize, type Descriptor } from "../../model/descriptor.ts";
import { digestOf, type Digest } from "../../model/digest.ts";
import { Failure, isFailure } from "../../model/failure.ts";
import { isManifest } from "../../model/media-type.ts";
import { collect } from "../../std/collect.ts";
import { hasBlob, mountBlob } from "./blobs.ts";
import { download } from "./download.ts";
import { listReferrers, listTags } from "./listing.ts";
import { getManifest, hasManifest, headManifest, putManifest } from "./manifests.ts";
import type { Remote } from "./remote.ts";
import { uploadBlob } from "./upload.ts";

/** One repository: reads try the endpoints in turn, writes go to the first. */
export interface Repository extends Store, Resolver, Tagger {
  readonly name: string;
  /** `undefined`: there is none. */
  head(pointer: string, signal?: AbortSignal): Promise<Descriptor | undefined>;
  /** Makes a blob of another repository of this registry one of this. False: refused, and to be uploaded. */
  mount(descriptor: Descriptor, fromRepository: string, signal?: AbortSignal): Promise<boolean>;
  tags(signal?: AbortSignal): Promise<readonly string[]>;
  referrers(digest: Digest, artifactType?: string, signal?: AbortSignal): Promise<readonly Descriptor[]>;
  /** The actions that our token holds here; `undefined` when no token says (Basic, anonymous, opaque tokens). */
  grants(signal?: AbortSignal): Promise<readonly string[] | undefined>;
}

export class RemoteRepository implements Repository {
  readonly name: string;
  readonly #remotes: Endpoints<Remote>;
  /** Blobs that `has` did not find: their push need not ask again. */
  readonly #absent = new Set<Digest>();
  /** Upload sessions that refused mounts left. */
  readonly #sessions = new Map<Digest, URL>();

  constructor(name: string, endpoints: Endpoints<Remote>) {
    this.name = name;
    this.#remotes = endpoints;
  }

  resolve(pointer: string, signal?: AbortSignal): Promise<DescribedContent> {
    return this.#remotes.firstThat((remote) => getManifest(remote, pointer, signal));
  }

  head(pointer: string, signal?: AbortSignal): Promise<Descriptor | undefined> {
    return this.#remotes.firstThat(
      (remote) => headManifest(remote, pointer, signal),
      (found) => found !== undefined,
    );
  }

  async has(descriptor: Descriptor, signal?: AbortSignal): Promise<boolean> {
    const find = isManifest(descriptor.mediaType) ? hasManifest : hasBlob;
    const found = await this.#remotes.firstThat(
      (remote) => find(remote, descriptor, signal),
      (there) => there,
    );
    if (!found) this.#absent.add(descriptor.digest);
    return found;
  }

  /** An endpoint that breaks for good in the middle is replaced by the next: the bytes are named by their digest. */
  async *fetch(descriptor: Descriptor, options: FetchOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    let at = options.offset ?? 0;
    const [first, ...others] = this.#remotes.inOrder();
    for (const [index, remote] of [first, ...others].entries()) {
      try {
        for await (const chunk of download(remote, descriptor, at, options.signal)) {
          at += chunk.byteLength;
          yield chunk;
        }
        return;
      } catch (error) {
        options.signal?.throwIfAborted();
        if (index === others.length || !this.#remotes.passOver(remote, error)) throw error;
      }
    }
  }

  async push(
    descriptor: Descriptor,
    open: (offset: number) => AsyncIterable<Uint8Array>,
    options: TransferOptions = {},
  ): Promise<void> {
    const remote = this.#remotes.primary;
    const { signal, onBytes } = options;
    if (isManifest(descriptor.mediaType)) {
      const bytes = await manifestBytes(descriptor, open);
      await putManifest(remote, descriptor.digest, { descriptor, bytes }, signal);
      onBytes?.(bytes.byteLength);
      return;
    }
    const absent = this.#absent.delete(descriptor.digest);
    const session = this.#sessions.get(descriptor.digest);
    this.#sessions.delete(descriptor.digest);
    await uploadBlob(remote, descriptor, { open, absent, session, signal, onBytes });
  }

  /**
   * Pushing what a tag names already is success, even where the tag may not be moved
   * (docs/facts/harbor.md#immutable-tag-refuses-its-own-digest).
   */
  async tag(descriptor: Descriptor, content: Uint8Array, tag: string, signal?: AbortSignal): Promise<void> {
    const digest = digestOf(content);
    if (digest !== descriptor.digest) {
      const facts = { what: `${this.name}:${tag}`, wanted: descriptor.digest, got: digest };
      throw new Failure("CONTENT_MISMATCH", facts, { side: "bundle" });
    }
    const remote = this.#remotes.primary;
    try {
      await putManifest(remote, tag, { descriptor, bytes: content }, signal);
    } catch (error) {
      const immutable = isFailure(error, "REGISTRY_REFUSED") && error.facts.status === 412;
      if (!immutable || (await headManifest(remote, tag, signal))?.digest !== digest) throw error;
    }
  }

  async mount(descriptor: Descriptor, fromRepository: string, signal?: AbortSignal): Promise<boolean> {
    const answer = await mountBlob(this.#remotes.primary, descriptor, fromRepository, signal);
    if (!answer.mounted && answer.session !== undefined) this.#sessions.set(descriptor.digest, answer.session);
    return answer.mounted;
  }

  tags(signal?: AbortSignal): Promise<readonly string[]> {
    return this.#remotes.firstThat((remote) => listTags(remote, signal));
  }

  referrers(digest: Digest, artifactType?: string, signal?: AbortSignal): Promise<readonly Descriptor[]> {
    return this.#remotes.firstThat((remote) => listReferrers(remote, digest, artifactType, signal));
  }

  grants(signal?: AbortSignal): Promise<readonly string[] | undefined> {
    const remote = this.#remotes.primary;
    return remote.endpoint.grants(remote.path, remote.writeScopes, signal);
  }
}

async function manifestBytes(
  descriptor: Descriptor,
  open: (offset: number) => AsyncIterable<Uint8Array>,
): Promise<Buffer> {
  if (descriptor.size > maxManifestSize) {
    const why = `${descriptor.size} B > ${maxManifestSize} B`;
    throw new Failure("MANIFEST_INVALID", { what: descriptor.digest, why }, { side: "bundle" });
  }
  return collect(copied(verified(open(0), descriptor, "bundle")), maxManifestSize);
}

/** `collect` keeps chunks, and a store may reuse the buffer of the one before. */
async function* copied(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of source) yield Uint8Array.from(chunk);
}

/**
 * The ways to one registry, in the order in which they are tried. One that could not be reached goes to the end for
 * the rest of the run, so that a dead mirror costs its time-out once.
 */
export class Endpoints<T> {
  readonly #all: readonly [T, ...T[]];
  readonly #down: Set<number>;

  /** `down` is shared by all repositories of a registry: it holds positions. */
  constructor(all: readonly [T, ...T[]], down: Set<number> = new Set()) {
    this.#all = all;
    this.#down = down;
  }

  get primary(): T {
    return this.#all[0];
  }

  inOrder(): readonly [T, ...T[]] {
    const isDown = (index: number): boolean => this.#down.has(index);
    const up = this.#all.filter((_, index) => !isDown(index));
    const [first = this.#all[0], ...others] = [...up, ...this.#all.filter((_, index) => isDown(index))];
    return [first, ...others];
  }

  /** True when `error` is a reason to ask the next one; remembers one that cannot be reached. */
  passOver(item: T, error: unknown): boolean {
    if (isFailure(error, "REGISTRY_UNREACHABLE", "REGISTRY_STALLED", "REGISTRY_BUSY")) {
      this.#down.add(this.#all.indexOf(item));
      return true;
    }
    // A mirror that does not have it says 404, 401 or 403, as it was built; one whose storage is broken sends us astray.
    return isFailure(
      error,
      "REGISTRY_NOT_FOUND",
      "REGISTRY_UNAUTHORIZED",
      "REGISTRY_LOGIN_WRONG",
      "REGISTRY_TOKEN_REFUSED",
      "REGISTRY_DENIED",
      "REGISTRY_PROTOCOL",
    );
  }

  /** The first answer that is `good`; the last answer or failure when none is. */
  async firstThat<R>(ask: (item: T) => Promise<R>, good: (answer: R) => boolean = () => true): Promise<R> {
    const order = this.inOrder();
    for (const [index, item] of order.entries()) {
      const last = index === order.length - 1;
      try {
        const answer = await ask(item);
        if (last || good(answer)) return answer;
      } catch (error) {
        if (last || !this.passOver(item, error)) throw error;
      }
    }
    throw new RangeError("no endpoint was asked");
  }
}
