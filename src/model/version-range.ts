import { satisfies, validRange } from "semver";
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
