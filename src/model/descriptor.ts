import type { Digest } from "./digest.ts";
import type { Platform } from "./platform.ts";

/** https://github.com/opencontainers/image-spec/blob/main/descriptor.md. `size` is bytes. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly platform?: Platform | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  readonly artifactType?: string | undefined;
}

/** A blob may be larger than memory, never larger than this: a bound for arithmetic on hostile numbers. */
export const maxBlobSize = 1024 ** 4;

/** distribution refuses manifests over 4 MiB (facts: `MaxBytesReader`), so nobody can have pushed a larger one. */
export const maxManifestSize = 4 * 1024 ** 2;
