import { guestOf } from "./guest-of.ts";
import { importsFor } from "./imports-for.ts";
import { proxyCalls } from "./proxy-calls.ts";
import { startSequence, type HostSide } from "./start-sequence.ts";
import { wasiCalls } from "./wasi-calls.ts";

const host: HostSide = { guestOf, importsFor, proxyCalls, wasiCalls };

/**
 * The worker's program as text, for `new Worker(text, { eval: true })`. It is made of the very functions that are typed
 * and linted beside this file, by `toString()`: a file of its own would be lost when everything is bundled into one, and
 * in a single executable there is no file at all. What it costs: those functions refer to nothing outside themselves. A
 * test runs this text from source and from a minified bundle, so that breaking the rule shows.
 */
export function workerSource(): string {
  return [
    `"use strict";`,
    `const { parentPort, workerData } = require("node:worker_threads");`,
    // esbuild's keepNames wraps functions in this; together with `minify` it would have another name, and not work.
    `const __name = (value) => value;`,
    `const host = { ${Object.entries<{ toString(): string }>({ ...host })
      .map(([name, part]) => `${name}: ${part.toString()}`)
      .join(", ")} };`,
    `(${startSequence.toString()})(host, workerData, (message) => parentPort.postMessage(message));`,
  ].join("\n");
}
