import { access, constants } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { aDockerRegistry, dockerRegistryUnavailable } from "../../test/rig/registry-process.ts";
import { aMemoryRegistry } from "../../test/rig/memory-registry.ts";

export interface DemoRegistry extends AsyncDisposable {
  readonly url: string;
  readonly kind: "docker-registry" | "memory";
}

/** Debian's docker-registry where it is on PATH, else one in this process. */
export async function aRegistry(): Promise<DemoRegistry> {
  const real = (await onPath("docker-registry")) && dockerRegistryUnavailable() === undefined;
  const registry = real ? await aDockerRegistry() : await aMemoryRegistry();
  return {
    url: registry.url,
    kind: real ? "docker-registry" : "memory",
    [Symbol.asyncDispose]: () => registry[Symbol.asyncDispose](),
  };
}

async function onPath(name: string): Promise<boolean> {
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    const found = await access(join(folder, name), constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return true;
  }
  return false;
}
