import * as z from "zod";
import { isDigest } from "./digest.ts";
import { parsePlatform } from "./platform.ts";
import { foreignCharacter, isHost, isReference, isRepository } from "./reference.ts";

/**
 * What a name of somebody else may be. Names become file names, arguments of helm and kubectl, paths of a registry: each
 * document that was written elsewhere has its names checked by these where it is read, and no other place makes a file
 * name or an argument of one.
 */

/**
 * Text that must read as something; the message names what was expected, in words that both languages share, and what
 * it `holds` that does not belong there.
 */
export const expecting = (
  what: string,
  fits: (text: string) => boolean,
  held: (text: string) => string | undefined = () => undefined,
) =>
  z.string().refine(fits, {
    error: ({ input }) => {
      const foreign = held(String(input));
      return `expected ${what}${foreign === undefined ? "" : `; it holds ${foreign}`}`;
    },
  });

const matching = (what: string, pattern: RegExp, most: number) => {
  const error = `expected ${what}`;
  return z.string().max(most, { error, abort: true }).regex(pattern, { error });
};

/** https://www.rfc-editor.org/rfc/rfc1123#page-13 as Kubernetes reads it: lower case, no dot, no hyphen at the ends. */
const label = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;

/** Helm cuts names that it makes of a release at 63 characters and needs ten of them itself. */
export const ReleaseName = matching("a release name: small letters, digits and -, at most 53", label, 53);
const namespaceBound = 63;
export const NamespaceName = matching("a namespace: small letters, digits and -, at most 63", label, namespaceBound);

export function isNamespace(text: string): boolean {
  return text.length <= namespaceBound && label.test(text);
}

/** An object of a cluster. Most kinds want a DNS name; roles and their bindings also have `:`, and none has a `/`. */
export const ObjectName = matching(
  "a name of a Kubernetes object",
  /^[A-Za-z0-9](?:[A-Za-z0-9.:_-]*[A-Za-z0-9])?$/,
  253,
);
/** `deployments.apps`, as kubectl takes it. */
export const ResourceName = matching("a resource: deployments.apps", /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/, 200);

export const NameText = matching("a name: letters, digits, . _ -", /^[A-Za-z0-9][A-Za-z0-9._+-]*$/, 128);

/** Helm's own expression, less what would be no file name or an option: a dot or a hyphen at the beginning. */
export const ChartName = matching("a chart name: letters, digits, . _ -", /^[A-Za-z0-9][A-Za-z0-9._-]*$/, 100);

/** https://semver.org, read as loosely as Helm reads it: a `v` before it, and minor and patch may be left out. */
export const ChartVersion = matching(
  "a chart version: 1.2.3",
  /^v?\d+(?:\.\d+){0,2}(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/,
  100,
);

/** Reaches helm as `--kube-version`. */
export const KubeVersion = matching("a version such as 1.30 or 1.30.0", /^\d+\.\d+(?:\.\d+)?$/, 20);

export const ReferenceText = expecting("an image reference: registry/repository:tag", isReference, foreignCharacter);
/** As it stands in a reference, which is what nodes will pull by. */
export const HostText = expecting("host or host:port, without https:// and path", isHost);
export const ProjectText = expecting("a project: small letters, digits, . _ -, with / for a path", isRepository);
export const PlatformText = expecting("a platform: linux/amd64", (text) => parsePlatform(text) !== undefined);
export const DigestText = z.string().refine(isDigest, { error: "expected a digest: sha256: and 64 small hex digits" });
export const Sha256Text = matching("sha256: 64 small hex digits", /^[0-9a-f]{64}$/, 64);

/** Goes into the headers of a request. https://www.rfc-editor.org/rfc/rfc6838#section-4.2 */
export const MediaTypeText = matching(
  "a media type",
  /^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}\/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}(?:;[\x20-\x7e]*)?$/,
  255,
);

/** The clock of a bundle: `Date.toISOString`, or without its milliseconds. */
export const TimeText = expecting(
  "a time: 2026-01-02T03:04:05Z",
  (text) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{3})?Z$/.test(text) && !Number.isNaN(Date.parse(text)),
);

/** Where in Helm's values: every segment is a map in a map, and nobody's values are that deep. */
export const SettingPath = expecting(
  "a values path of at most 64 keys",
  (text) => text !== "" && text.length <= 2000 && text.split(".").length <= 64,
);

/** Names of repositories, plugins and charts: segments with a slash between them, none of which climbs. */
export const ItemName = matching(
  "a name: letters, digits, . _ -, with / for a path",
  /^[A-Za-z0-9_][A-Za-z0-9._+-]*(?:\/[A-Za-z0-9_][A-Za-z0-9._+-]*)*$/,
  300,
);

/** What people read and nothing is made of. A half of a surrogate pair is no text: it cannot be written as UTF-8. */
export const Prose = (most: number) =>
  expecting(`text of at most ${most} characters`, (text) => text.length <= most && !/\p{Surrogate}/u.test(text));

/** Who asked for an item of a bundle. */
export const roleBound = 200;
export const RoleText = Prose(roleBound);

/** Allow-list of everything that may be in a bundle. No `..`, no links, no absolute names: what does not match is refused. */
const allowed = [
  /^(oci-layout|bundle\.json|index\.json|SHA256SUMS|SHA256SUMS\.sig|README\.txt|install\.sh)$/,
  /^blobs\/sha256\/[0-9a-f]{64}$/,
  /^bin\/[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/,
  /^(charts|crds|manifests|licences)\/[A-Za-z0-9][A-Za-z0-9._+-]{0,99}(\/[A-Za-z0-9][A-Za-z0-9._+-]{0,99}){0,3}$/,
] as const;

export function isAllowedEntry(name: string): boolean {
  return allowed.some((pattern) => pattern.test(name));
}

export const EntryName = expecting("an entry of a bundle", isAllowedEntry);
/** An entry in one of the folders of a bundle. */
export const EntryIn = (folder: "charts" | "crds" | "manifests") =>
  expecting(`an entry of a bundle below ${folder}/`, (text) => text.startsWith(`${folder}/`) && isAllowedEntry(text));

/** One segment of a path, on any disk: no separators, no control characters, not the folder itself or the one above. */
export function isFileName(text: string): boolean {
  return text !== "." && text !== ".." && text.length <= 255 && /^[^/\\\p{C}\p{Zl}\p{Zp}]+$/u.test(text);
}
export const FileName = expecting("a file name", isFileName);

/** A name of somebody else as part of one of ours that every disk and shell takes as it is: other letters become `_`. */
export function plainName(text: string): string {
  return text.replace(/[^A-Za-z0-9._-]/g, "_");
}
