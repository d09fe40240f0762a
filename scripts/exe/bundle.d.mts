export function bundleStart(outfile: string): Promise<void>;
