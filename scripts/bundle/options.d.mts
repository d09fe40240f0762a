import type { BuildOptions } from "esbuild";

export function bundling(): Promise<BuildOptions & { readonly metafile: true }>;
export function manyFiles(): Promise<BuildOptions & { readonly metafile: true }>;
export function oneFile(): Promise<BuildOptions & { readonly metafile: true }>;
