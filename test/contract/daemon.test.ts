import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";
import { expect, it } from "vitest";

import { aDaemon } from "../rig/daemon.ts";
import { freePort } from "../rig/free-port.ts";

it("a daemon ends with the process that started it, even one that is killed hard", async () => {
  await using place = await aPlace();
  const { port } = place.server.address() as { port: number };
  // In a process of its own, which can be killed; Node 20 runs no TypeScript, so it gets the rig bundled.
  const outfile = join(place.directory, "daemon.mjs");
  const entry = fileURLToPath(new URL("../rig/daemon.ts", import.meta.url));
  await build({ entryPoints: [entry], outfile, bundle: true, platform: "node", format: "esm", target: "node20" });
  const command = {
    name: "d",
    command: process.execPath,
    args: ["-e", `net.connect(${port})`],
    directory: place.directory,
  };
  const script = `import { aDaemon } from "./daemon.mjs"; aDaemon(${JSON.stringify(command)}); setInterval(() => {}, 1e6);`;
  await writeFile(join(place.directory, "owner.mjs"), script);

  const owner = spawn(process.execPath, ["owner.mjs"], { cwd: place.directory, stdio: "ignore" });
  const [connection] = (await once(place.server, "connection")) as [Socket];
  const closed = once(
    connection.resume().on("error", () => undefined),
    "close",
  );
  owner.kill("SIGKILL");
  await closed;
});

it("a daemon that ends too early is reported with how it ended and what it said", async () => {
  await using place = await aPlace();
  const { directory } = place;
  await using daemon = aDaemon({ name: "d", command: "/bin/sh", args: ["-c", "echo no room; exit 3"], directory });
  await expect(daemon.until(() => Promise.resolve(false))).rejects.toThrow("d ended with exit code 3:\nno room");
  await using missing = aDaemon({ name: "m", command: "/no/such/program", args: [], directory });
  await expect(missing.until(() => Promise.resolve(false))).rejects.toThrow("m spawn /no/such/program ENOENT");
});

it("a port is given out once, though what is to listen there has not begun, and another process begins to look at the same", async () => {
  // Another module of this process looks where another process may.
  const again = "../rig/free-port.ts?other";
  const other = (await import(again)) as { freePort: typeof freePort };
  expect(other.freePort).not.toBe(freePort);
  const ports = [await freePort(), await other.freePort(), await freePort(), await other.freePort()];
  expect(new Set(ports).size).toBe(ports.length);
});

async function aPlace() {
  const directory = await mkdtemp(join(tmpdir(), "higress-airgap-daemon-"));
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    directory,
    server,
    async [Symbol.asyncDispose]() {
      server.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
