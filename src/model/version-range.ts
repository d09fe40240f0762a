import { coerce, gt, parse, rcompare, satisfies, validRange } from "semver";
import * as z from "zod";

/** A range of versions as npm writes them. */
export const VersionRange = z
  .string()
  .max(200)
  .refine((text) => validRange(text) !== null, { error: "expected a range of versions: >=2.1.0 <2.2.0 || >=2.2.1" });

/** A candidate for release counts as a version of its own: `2.2.5-rc.1` is after 2.2.4 and before 2.2.5. */
export function inRange(version: string, range: string): boolean {
  return satisfies(version, range, { includePrerelease: true, loose: true });
}

/**
 * The newest of `versions` that is after this one (`1.2`, too, which Helm takes for a version); candidates for a release only where
 * this one is a candidate itself.
 */
export function newestAfter(version: string, versions: readonly string[]): string | undefined {
  const isCandidate = (text: string): boolean => (parse(text, { loose: true })?.prerelease.length ?? 0) > 0;
  const wantsCandidates = isCandidate(version);
  const own = parse(version, { loose: true }) ?? coerce(version);
  if (own === null) return undefined;
  return versions
    .filter((other) => parse(other, { loose: true }) !== null && (wantsCandidates || !isCandidate(other)))
    .filter((other) => gt(other, own, { loose: true }))
    .sort((a, b) => rcompare(a, b, { loose: true }))[0];
}

/** `2.2.4`, `v2.2.4`, `2.2.4-rc.1`; what does not begin like a version compares with nothing. */
function numbersOf(version: string): readonly number[] | undefined {
  const match = /^v?(\d{1,6})(?:\.(\d{1,6}))?(?:\.(\d{1,6}))?/.exec(version.trim());
  return match === null ? undefined : match.slice(1).map((part: string | undefined) => Number(part ?? 0));
}

/**
 * True when `version` comes before `than`. Pre-releases count as the release that they lead to. A version that cannot be
 * read is older than nothing: `gatewayMinVersion` is free text, and `""` is its most common value.
 */
export function isOlder(version: string, than: string): boolean {
  const [left, right] = [numbersOf(version), numbersOf(than)];
  if (left === undefined || right === undefined) return false;
  const index = left.findIndex((part, at) => part !== right[at]);
  return index >= 0 && (left[index] ?? 0) < (right[index] ?? 0);
}
