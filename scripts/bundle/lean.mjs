// @ts-check
import { join } from "node:path";

const stands = new Map([
  ["undici", "undici.mjs"],
  ["string-width", "string-width.ts"],
]);

/**
 * Leaves out of the program what nobody here uses of two packages, and what every start would pay for: undici's fetch,
 * caches and mocks (7 MiB at rest), and an Intl.Segmenter per copy of string-width (20 ms each) for help texts that
 * have no emoji. Something else that is imported from them fails the build.
 * @type {import("esbuild").Plugin}
 */
export const lean = {
  name: "lean",
  setup(build) {
    build.onResolve({ filter: /^(undici|string-width)$/ }, ({ path }) => ({
      path: join(import.meta.dirname, stands.get(path) ?? ""),
      sideEffects: false,
    }));
  },
};
