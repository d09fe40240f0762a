import { describe, expect, it } from "vitest";
import { collect } from "../../src/std/collect.ts";
import { aBlob, aStore } from "../rig/builders/graph.ts";
import { aClient } from "../rig/client.ts";
import { aFaultServer } from "../rig/fault-server.ts";
import { aMemoryRegistry } from "../rig/memory-registry.ts";

describe("a blob that goes on after a cut", () => {
  it.each([
    ["of a blob of another size", "bytes 100000-299999/300001", /Content-Range bytes 100000-299999\/300001/],
    ["from another place", "bytes 99999-299999/300000", /Content-Range bytes 99999/],
    ["that is no range", "chunks 1-2/3", /Content-Range chunks/],
  ])("is not glued to an answer %s", async (_what, range, why) => {
    await using upstream = await aMemoryRegistry();
    await using server = await aFaultServer({ upstream: upstream.url });
    await using client = aClient({ origins: [server.origin] });
    const blob = aBlob(300_000);
    const repository = client.registry.repository("p/image");
    await repository.push(blob.root, () => aStore(blob).fetch(blob.root));
    server.failNext("blob.get", { type: "cut", at: 100_000 });
    server.failNext("blob.get", { type: "headers", headers: { "content-range": range } });
    await expect(collect(repository.fetch(blob.root), 1_000_000)).rejects.toMatchObject({
      code: "REGISTRY_PROTOCOL",
      facts: { why: expect.stringMatching(why) as string },
    });
  });
});
