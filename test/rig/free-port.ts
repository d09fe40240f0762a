import { once } from "node:events";
import { createServer } from "node:net";

/**
 * Below what the kernel gives to clients (32768 and up): their connections of a moment would take the port between the
 * answer and the server that is to have it. Processes begin at different places, and a process goes on from its last.
 */
const [first, count] = [20_000, 12_000];
let next = (process.pid * 97) % count;

/** A port that nobody listens on, for a server that can only be told one. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < count; tries += 1) {
    next = (next + 1) % count;
    const port = first + next;
    if (await isFree(port)) return port;
  }
  throw new Error(`no port from ${first} to ${first + count - 1} is free`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch {
    return false;
  }
  server.close();
  await once(server, "close");
  return true;
}
