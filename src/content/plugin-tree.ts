/** One file of the plugin server, under the path that the gateway asks for. */
export interface PluginFile {
  /** `plugins/<name>/<version>/plugin.wasm`, `plugins/<name>/<version>/metadata.txt`, `<name>.wasm`. */
  readonly path: string;
  readonly size: number;
  /** Hex. */
  readonly sha256: string;
  open(offset?: number, signal?: AbortSignal): AsyncIterable<Uint8Array>;
}
