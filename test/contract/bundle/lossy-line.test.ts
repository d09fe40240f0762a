import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { expect, it } from "vitest";
import { bundleOutput } from "../../../src/edge/disk/bundle-output.ts";
import { openSource } from "../../../src/edge/disk/open-source.ts";
import { openBundle } from "../../../src/stages/bundle/open.ts";
import { pack } from "../../../src/stages/bundle/pack.ts";
import { aBlob, aParent } from "../../rig/builders/graph.ts";
import { aPackInput } from "../../rig/bundle-input.ts";
import { aClient } from "../../rig/client.ts";
import { seeded } from "../../rig/mutate.ts";
import { aDockerRegistry, dockerRegistryUnavailable } from "../../rig/registry-process.ts";
import { aRelay } from "../../rig/relay.ts";
import { seed } from "../../rig/seed.ts";
import { aTempDirectory } from "../../rig/temp-directory.ts";

const KiB = 1024;
const layers = [9, 7, 5, 3].map((mebibytes, at) => aBlob(mebibytes * KiB ** 2 + at));
const image = aParent("application/vnd.oci.image.manifest.v1+json", [aBlob("{}"), ...layers], (config, ...rest) => ({
  config,
  layers: rest,
}));
const reference = "registry.example/higress/gateway:2.2.4";
const unavailable = dockerRegistryUnavailable();

it.skipIf(unavailable !== undefined).each([
  ["by undici", Infinity],
  ["over sockets of its own", 0],
])(
  "a build over a line that is cut every few hundred KiB (%s) is sent no more than a hundredth twice",
  async (_way, bulkFrom) => {
    await using folder = await aTempDirectory();
    await using upstream = await aDockerRegistry();
    await seed(upstream.url, { [reference]: image });
    await using relay = await aRelay(upstream.url);
    const random = seeded(20_261_129);
    let connections = 0;
    relay.lose(() => {
      connections += 1;
      return 100 * KiB + Math.floor(random() * 600 * KiB);
    });
    await using client = aClient({ origins: [`http://127.0.0.1:${relay.port}`], bulkFrom });
    const repository = client.registry.repository("higress/gateway");
    const path = join(folder.path, "a.tar");
    const input = aPackInput({
      items: [{ kind: "image", reference, seed: image, platforms: ["linux/amd64"] }],
      open: (descriptor, bytes, offset) =>
        descriptor.digest === image.root.digest
          ? Readable.from([bytes.subarray(offset)])
          : repository.fetch(descriptor, { offset }),
    });
    await pack(input, bundleOutput(path));

    const size = layers.reduce((sum, { root }) => sum + root.size, 0);
    expect(connections).toBeGreaterThan(30);
    expect(relay.passed).toBeGreaterThan(size);
    expect(relay.passed).toBeLessThan(size * 1.01);
    await using bundle = await openBundle(await openSource(path));
    for (const { root } of layers) {
      const { offset, size: length } = bundle.entries.get(`blobs/sha256/${root.digest.slice(7)}`)!;
      const hash = createHash("sha256");
      for await (const chunk of createReadStream(path, { start: offset, end: offset + length - 1 }))
        hash.update(chunk as Buffer);
      expect(`sha256:${hash.digest("hex")}`).toBe(root.digest);
    }
  },
);
