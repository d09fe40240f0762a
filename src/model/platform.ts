/** https://github.com/opencontainers/image-spec/blob/main/image-index.md, the members that a choice can rest on. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string | undefined;
}

/** Reads `linux/arm64` or `linux/arm/v7`; `undefined` when it is neither. */
export function parsePlatform(text: string): Platform | undefined {
  const [os, architecture, variant, ...rest] = text.split("/");
  if (rest.length > 0 || !os || !architecture || !/^[a-z0-9/]+$/.test(text)) return undefined;
  return variant === undefined ? { os, architecture } : { os, architecture, variant };
}

export function printPlatform(platform: Platform): string {
  return [platform.os, platform.architecture, platform.variant].filter((part) => part !== undefined).join("/");
}

/** What an image config says that it is for; `undefined` when it is no config of a container image. */
export function platformOfConfig(config: Uint8Array): Platform | undefined {
  try {
    const document: unknown = JSON.parse(Buffer.from(config).toString("utf8"));
    const { os, architecture, variant } = (document ?? {}) as Readonly<Record<string, unknown>>;
    if (typeof os !== "string" || typeof architecture !== "string") return undefined;
    return typeof variant === "string" && variant !== "" ? { os, architecture, variant } : { os, architecture };
  } catch {
    return undefined;
  }
}

/** `arm64` and `arm64/v8` are one platform: the variant counts only when it was asked for, and v8 is arm64's default. */
export function platformMatches(wanted: Platform, has: Platform): boolean {
  if (wanted.os !== has.os || wanted.architecture !== has.architecture) return false;
  return variantOf(wanted) === undefined || variantOf(wanted) === variantOf(has);
}

/** `platformMatches` with any of these: one look for each question, since an index may have four thousand. */
export function anyMatches(these: Iterable<Platform>): (wanted: Platform) => boolean {
  const key = (...parts: readonly (string | undefined)[]): string => JSON.stringify(parts);
  const known = new Set<string>();
  for (const has of these)
    known.add(key(has.os, has.architecture)).add(key(has.os, has.architecture, variantOf(has) ?? ""));
  return ({ os, architecture, variant }) => {
    const wanted = variantOf({ os, architecture, variant });
    return known.has(wanted === undefined ? key(os, architecture) : key(os, architecture, wanted));
  };
}

function variantOf({ architecture, variant }: Platform): string | undefined {
  return architecture === "arm64" && variant === "v8" ? undefined : variant;
}
