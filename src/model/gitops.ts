/** Who applies what `render --for` writes. */
export const gitopsEngines = ["kustomize", "argocd", "flux"] as const;
export type GitopsEngine = (typeof gitopsEngines)[number];
