import { setImmediate } from "node:timers/promises";
import { expect, it } from "vitest";
import { parseReference } from "../../../src/model/reference.ts";
import { Resolving } from "../../../src/pipeline/resolve-each.ts";
import type { Resolved } from "../../../src/stages/resolve/ports.ts";

it.each([
  ["as many items as bytes may be moved of", {}, 3],
  ["twice as many where documents alone are read", { documentsOnly: true }, 6],
])("resolves at once %s", async (_how, options, atOnce) => {
  const requests = Array.from({ length: 20 }, (_, at) => ({
    reference: parseReference(`registry.example/higress/plugin-${at}:1.0.0`),
    role: "plugin",
  }));
  let [running, most] = [0, 0];
  const work = async (): Promise<Resolved> => {
    running += 1;
    most = Math.max(most, running);
    await setImmediate();
    running -= 1;
    return {} as Resolved;
  };
  const resolving = new Resolving({ concurrency: 3, report: () => undefined });
  await resolving.each(requests, (request) => request, work, options);
  expect(most).toBe(atOnce);
});
