import { describe, expect, it } from "vitest";
import { aClient } from "../rig/client.ts";
import { aMemoryRegistry } from "../rig/memory-registry.ts";
import { aDockerRegistry, dockerRegistryUnavailable } from "../rig/registry-process.ts";
import { pullContract, pushContract, seed, seeds, type Subject } from "./registry.contract.ts";

/** Held to what docker-registry is held to, so that what runs on it says something. */
async function aSubject(): Promise<Subject> {
  const server = await aMemoryRegistry();
  const client = aClient({ origins: [server.url], side: "target" });
  for (const each of Object.values(seeds)) await seed(client.registry.repository(each.repository), each);
  return {
    client,
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

pullContract("the registry in memory", aSubject);
pushContract("the registry in memory", aSubject);

const registries = [
  { name: "the registry in memory", start: aMemoryRegistry, absent: undefined },
  { name: "docker-registry", start: () => aDockerRegistry(), absent: dockerRegistryUnavailable() },
];

/** What our client never sends, so the contract cannot ask for it. */
describe.each(registries)("$name", ({ start, absent }) => {
  it.skipIf(absent)("refuses bytes that are not the digest they come under", async () => {
    await using registry = await start();
    const started = await fetch(`${registry.url}/v2/a/b/blobs/uploads/`, { method: "POST" });
    const to = new URL(started.headers.get("location") ?? "", registry.url);
    const digest = `sha256:${"0".repeat(64)}`;
    to.searchParams.set("digest", digest);
    expect((await fetch(to, { method: "PUT", body: "other bytes" })).status).toBe(400);
    expect((await fetch(`${registry.url}/v2/a/b/blobs/${digest}`, { method: "HEAD" })).status).toBe(404);
  });

  it.skipIf(absent)("refuses a manifest whose layers it has not got", async () => {
    await using registry = await start();
    const layers = [{ mediaType: "a/layer", digest: `sha256:${"0".repeat(64)}`, size: 1 }];
    const mediaType = "application/vnd.docker.distribution.manifest.v2+json";
    const body = JSON.stringify({ schemaVersion: 2, mediaType, config: layers[0], layers });
    const to = `${registry.url}/v2/a/b/manifests/1`;
    expect((await fetch(to, { method: "PUT", body, headers: { "content-type": mediaType } })).status).toBe(400);
    expect((await fetch(to, { headers: { accept: mediaType } })).status).toBe(404);
  });
});
