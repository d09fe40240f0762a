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
