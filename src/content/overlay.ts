import type { Fetcher } from "./store.ts";
import type { MemoryStore } from "./memory.ts";

/** What was made here (a rewritten index, a repacked plugin) over what the source has. */
export function overlay(made: MemoryStore, source: Fetcher): Fetcher {
  return {
    async *fetch(descriptor, options) {
      const from = (await made.has(descriptor)) ? made : source;
      yield* from.fetch(descriptor, options);
    },
  };
}
