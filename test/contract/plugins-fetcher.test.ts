import { beforeAll, describe, expect, it } from "vitest";

import type { Repository } from "../../src/edge/registry/repository.ts";
import { digestOf } from "../../src/model/digest.ts";
import { isFailure } from "../../src/model/failure.ts";
import { parseReference } from "../../src/model/reference.ts";
import { pluginLayout } from "../../src/model/plugin-layout.ts";
import { readModule } from "../../src/stages/plugins/read-module.ts";
import { resolvePlugin } from "../../src/stages/resolve/plugin.ts";
import type { Graph } from "../rig/builders/graph.ts";
import { emptyModule } from "../rig/builders/plugins.ts";
import { aClient } from "../rig/client.ts";
import { realFetcher, type Fetched } from "../rig/gateway/fetcher.ts";
import { anyLayout, layouts } from "../rig/gateway/layouts.ts";
import { fetcherUnavailable } from "../rig/gateway/parts.ts";
import { aMemoryRegistry } from "../rig/memory-registry.ts";
import { seeded } from "../rig/mutate.ts";
import { seed } from "../rig/seed.ts";

const reason = fetcherUnavailable();
/** FUZZ_CASES and FUZZ_SEED in the environment try more, and others. */
const generated = Number(process.env["FUZZ_CASES"] ?? 800);
const firstSeed = Number(process.env["FUZZ_SEED"] ?? 20_261_128);

/**
 * Where we refuse what the agent would load: it stops reading behind the module, takes what a hurt stream gave until then,
 * and looks for a raw module when a tar gave none; containerd, scanners and mirrors read layers to the end.
 */
const damage = /"why":"(?:gzip: |tar: |plugin\.wasm: sparse)/;
const stricter: ReadonlySet<string> = new Set([
  ...["no gzip, and a raw module before it", "a damaged tar, and a raw module before it", "a damaged header behind it"],
  ...["bytes behind the gzip", "a gzip that ends in its trailer", "a gzip that is cut behind the module"],
  "a gzip with a wrong sum",
  // Deeper than anybody builds: no graph is read further.
  "five indexes in each other",
  // A file with holes is not what is stored of it, and no builder of images writes one.
  ...["a sparse module", "a sparse module of pax 0.1", "a sparse module of old"],
]);

interface Answer {
  /** Hex, of the module. */
  readonly module?: string | undefined;
  readonly why: string;
}

/** What is no module the agent's cache refuses after the fetcher gave it (`isValidWasmBinary`). */
const theirs = ({ sha256, size, error }: Fetched): Answer =>
  error === undefined && size >= emptyModule.length
    ? { module: sha256, why: "" }
    : { why: error ?? `${String(size)} B` };

async function ours(name: string, repository: Repository, reference: string): Promise<Answer> {
  let module: Uint8Array = Buffer.alloc(0);
  try {
    await resolvePlugin(
      { name, reference: parseReference(reference), role: "plugin" },
      repository,
      async ({ manifest, content }) => {
        const layout = pluginLayout(manifest);
        if (layout.shape === "unloadable") throw new Error(layout.why);
        module = await readModule(layout, content, { name });
        return { findings: [] };
      },
      { platforms: [], allowMissing: false },
    );
  } catch (error) {
    return { why: isFailure(error) ? `${error.code} ${JSON.stringify(error.facts)}` : String(error) };
  }
  if (module.byteLength < emptyModule.length) return { why: `${String(module.byteLength)} B` };
  return { module: digestOf(module).slice("sha256:".length), why: "" };
}

/** Both answers about each of these, by name. */
async function compared(graphs: Readonly<Record<string, Graph>>) {
  await using registry = await aMemoryRegistry();
  const names = Object.keys(graphs);
  const references = names.map((_, at) => `${registry.host}/lay/l${String(at)}:1`);
  await seed(registry.url, Object.fromEntries(names.map((name, at) => [references[at] ?? "", graphs[name] as Graph])));
  const real = await realFetcher(references);
  await using client = aClient({ origins: [registry.url] });
  const result = new Map<string, { readonly theirs: Answer; readonly ours: Answer }>();
  for (const [at, name] of names.entries()) {
    const reference = references[at] ?? "";
    const repository = client.registry.repository(parseReference(reference).repository);
    result.set(name, { theirs: theirs(real[at] as Fetched), ours: await ours(name, repository, reference) });
  }
  return result;
}

describe.skipIf(reason)(
  `layouts and the agent's own fetcher${reason === undefined ? "" : ` (not run: ${reason})`}`,
  () => {
    let verdicts: Awaited<ReturnType<typeof compared>>;
    beforeAll(async () => {
      verdicts = await compared(layouts);
    });

    it.each(Object.keys(layouts))("agree about %s", (name) => {
      const { ours: we, theirs: they } = verdicts.get(name) ?? {};
      const words = `agent: ${they?.why ?? ""}\nwe: ${we?.why ?? ""}`;
      if (!stricter.has(name)) expect(we?.module, words).toBe(they?.module);
      else expect([we?.module, typeof they?.module], words).toEqual([undefined, "string"]);
    });

    it("agree about layouts that chance made", async () => {
      const graphs = Array.from({ length: generated }, (_, at) => {
        const number = firstSeed + at;
        return [`seed ${String(number)}`, anyLayout(seeded(number))] as const;
      });
      const both = await compared(Object.fromEntries(graphs));
      const differ = [...both].filter(
        ([, { ours: we, theirs: they }]) => we.module !== they.module && !damage.test(we.why),
      );
      expect(differ).toEqual([]);
      const loaded = [...both.values()].filter(({ theirs: they }) => they.module !== undefined);
      expect(loaded.length).toBeGreaterThan(100);
    });
  },
);
