declare const HIGRESS_AIRGAP_VERSION: string | undefined;

/** Set by the build from package.json; a run from source says so. */
const version: string = typeof HIGRESS_AIRGAP_VERSION === "string" ? HIGRESS_AIRGAP_VERSION : "0.0.0-source";
export const tool = { name: "higress-airgap", version } as const;

/** What is answered without the program: an executable does it before it unpacks that (scripts/exe/start.ts). */
export function asksForVersion(argv: readonly string[]): boolean {
  return argv.length === 1 && argv[0] === "--version";
}

/** What a report of trouble should start with: our version, and what it runs on. */
export function versionLine(on: {
  readonly version: string;
  readonly platform: string;
  readonly arch: string;
}): string {
  return `${version} (node ${on.version.slice(1)}, ${on.platform}/${on.arch})`;
}
