export function lintKeys(texts: ReadonlyMap<string, string>, shared: string): ReadonlyMap<string, string>;
