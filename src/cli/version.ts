declare const HIGRESS_AIRGAP_VERSION: string | undefined;

/** Set by the build from package.json; a run from source says so. */
export const version: string = typeof HIGRESS_AIRGAP_VERSION === "string" ? HIGRESS_AIRGAP_VERSION : "0.0.0-source";
export const tool = { name: "higress-airgap", version } as const;
