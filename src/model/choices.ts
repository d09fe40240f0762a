// Closed lists that the command line names: apart from the schemas, none of which it loads for them.

export const existingChoices = ["keep-values", "site-values", "refuse"] as const;

/** What becomes of a release that somebody else installed. */
export type Existing = (typeof existingChoices)[number];

/** Who applies what `render --for` writes. */
export const gitopsEngines = ["kustomize", "argocd", "flux"] as const;
export type GitopsEngine = (typeof gitopsEngines)[number];

/** What signs a bundle's sums: ECDSA P-256 with SHA-256, or SM2 with SM3 (GB/T 32918.2, GB/T 32905). */
export const signatureAlgorithms = ["ecdsa", "sm2"] as const;
export type SignatureAlgorithm = (typeof signatureAlgorithms)[number];

/** Sums that can stand beside a bundle: SM3 (GB/T 32905). */
export const sumAlgorithms = ["sm3"] as const;
