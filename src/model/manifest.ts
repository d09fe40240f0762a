import * as z from "zod";
import { maxBlobSize, type Descriptor } from "./descriptor.ts";
import { Failure } from "./failure.ts";
import { isIndex, isManifest, MediaType } from "./media-type.ts";
import { DigestText, MediaTypeText } from "./names.ts";

/** `null` is what some tools write for none. */
const Annotations = z
  .record(z.string(), z.string())
  .nullish()
  .transform((value) => value ?? undefined)
  .optional();

const PlatformDocument = z
  .object({ os: z.string(), architecture: z.string(), variant: z.string().optional() })
  .transform(({ os, architecture, variant }) =>
    variant === undefined ? { os, architecture } : { os, architecture, variant },
  );

/** Reads a descriptor; unknown members are dropped, since the bytes themselves are what is copied. */
const DescriptorDocument = z.object({
  mediaType: MediaTypeText,
  digest: DigestText,
  size: z.int().min(0).max(maxBlobSize),
  platform: PlatformDocument.optional(),
  annotations: Annotations,
  artifactType: z.string().optional(),
});

/** A descriptor of something that stands for itself, in documents of ours: nothing else may stand in it. */
export const RootDocument = DescriptorDocument.pick({ mediaType: true, digest: true, size: true }).strict();

/** What it is, and what it is about: a signature names the image that it signs as its subject. */
const Common = z.object({
  mediaType: z.string().optional(),
  artifactType: z.string().optional(),
  subject: DescriptorDocument.nullish().transform((value) => value ?? undefined),
  annotations: Annotations,
});

const ImageManifestDocument = Common.extend({
  config: DescriptorDocument,
  layers: z.array(DescriptorDocument).max(4096),
});

const IndexDocument = Common.extend({ manifests: z.array(DescriptorDocument).max(4096) });

export interface ImageManifest extends z.output<typeof ImageManifestDocument> {
  readonly kind: "image";
}
export interface ImageIndex extends z.output<typeof IndexDocument> {
  readonly kind: "index";
}
export type Manifest = ImageManifest | ImageIndex;

/**
 * Reads manifest bytes. A document that says one media type and was sent as another is refused: the split between the
 * two is how one digest could mean two things (CVE-2021-41190).
 * @throws Failure MANIFEST_INVALID
 */
export function parseManifest(bytes: Uint8Array, mediaType: string): Manifest {
  const document = parseJson(bytes, mediaType);
  const index = isIndex(mediaType);
  const parsed = index ? IndexDocument.safeParse(document) : ImageManifestDocument.safeParse(document);
  if (!parsed.success) throw new Failure("MANIFEST_INVALID", { what: mediaType, why: firstIssue(parsed.error) });
  if (parsed.data.mediaType !== undefined && parsed.data.mediaType !== mediaType) {
    throw new Failure("MANIFEST_INVALID", { what: mediaType, why: `mediaType ${parsed.data.mediaType}` });
  }
  return index
    ? { kind: "index", ...(parsed.data as z.output<typeof IndexDocument>) }
    : { kind: "image", ...(parsed.data as z.output<typeof ImageManifestDocument>) };
}

function parseJson(bytes: Uint8Array, what: string): unknown {
  if (!isManifest(what)) throw new Failure("MANIFEST_INVALID", { what, why: "mediaType" });
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new Failure("MANIFEST_INVALID", { what, why: (cause as Error).message.slice(0, 200) }, { cause });
  }
}

function firstIssue(error: z.ZodError): string {
  const issue = error.issues[0];
  return issue === undefined ? "?" : `${issue.path.join(".")}: ${issue.message}`;
}

/** What must exist before this manifest may: config and layers, or the children of an index. Duplicates stay. */
export function successors(manifest: Manifest): readonly Descriptor[] {
  return manifest.kind === "index" ? manifest.manifests : [manifest.config, ...manifest.layers];
}

/** The media type of a manifest document that came without one (a chart's, by Helm): told by its members. */
export function sniffMediaType(document: unknown): string {
  const fields = document as { mediaType?: unknown; manifests?: unknown } | null;
  if (typeof fields?.mediaType === "string") return fields.mediaType;
  return Array.isArray(fields?.manifests) ? MediaType.ociIndex : MediaType.ociManifest;
}
