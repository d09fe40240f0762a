import { writeSync } from "node:fs";

declare const HIGRESS_AIRGAP_VERSION: string | undefined;

/** Set by the build from package.json; a run from source says so. */
const version: string = typeof HIGRESS_AIRGAP_VERSION === "string" ? HIGRESS_AIRGAP_VERSION : "0.0.0-source";
export const tool = { name: "higress-airgap", version } as const;

/** What a report of trouble should start with: our version, and what it runs on. */
export function versionLine(on: {
  readonly version: string;
  readonly platform: string;
  readonly arch: string;
}): string {
  return `${version} (node ${on.version.slice(1)}, ${on.platform}/${on.arch})`;
}

/**
 * Answers `--version` without the program: an executable does it before it unpacks that (scripts/exe/start.ts). `false`
 * where something else was asked, and where the answer was not taken (a full disk, a reader that left): the program
 * answers then, and knows how to say so.
 */
export function answersVersion(argv: readonly string[], on: Parameters<typeof versionLine>[0]): boolean {
  if (argv.length !== 1 || argv[0] !== "--version") return false;
  try {
    writeSync(1, `${versionLine(on)}\n`);
    return true;
  } catch {
    return false;
  }
}
