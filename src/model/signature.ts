/** What signs a bundle's sums: ECDSA P-256 with SHA-256, or SM2 with SM3 (GB/T 32918.2, GB/T 32905). */
export const signatureAlgorithms = ["ecdsa", "sm2"] as const;
export type SignatureAlgorithm = (typeof signatureAlgorithms)[number];
