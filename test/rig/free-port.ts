import { createSocket } from "node:dgram";
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
    if ((await isOurs(port)) && (await isFree(port))) return port;
  }
  throw new Error(`no port from ${first} to ${first + count - 1} is free`);
}

/**
 * A server takes its port seconds after it was told it, and another process that asks meanwhile would be given the same:
 * the socket of UDP with that number, which nobody else wants, says until this process ends whose it is.
 */
async function isOurs(port: number): Promise<boolean> {
  const mark = createSocket("udp4");
  mark.bind({ port, address: "127.0.0.1", exclusive: true });
  try {
    await once(mark, "listening");
  } catch {
    mark.close();
    return false;
  }
  mark.unref();
  return true;
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
