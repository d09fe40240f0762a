import { bundleCatalog } from "../../src/content/bundle-catalog.ts";
import { serve } from "../../src/edge/server/server.ts";
import { aStore } from "../rig/builders/graph.ts";
import { aClient } from "../rig/client.ts";
import { aLockItem } from "../rig/lock-item.ts";
import { pullContract, seeds } from "./registry.contract.ts";

/** A bundle is served under the full names that it was packed with: the host comes first, as a path. */
const from = "registry.example";

pullContract("the embedded server", async () => {
  const all = Object.values(seeds);
  const items = all.map(({ repository, tag, graph }) => aLockItem(`${from}/${repository}:${tag}`, graph));
  const server = await serve({ catalog: await bundleCatalog(items, aStore(...all.map((each) => each.graph))) });
  const client = aClient({ origins: [server.url], pathPrefix: `/${from}` });
  return {
    client,
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
});
