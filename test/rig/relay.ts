import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

/** A wire to a server on loopback, which can be made slow, silent, or cut; TLS passes through it untouched. */
export interface Relay extends AsyncDisposable {
  readonly port: number;
  /** Bytes of answers that went over it so far. Each one arrived, those before a cut of `lose` too. */
  readonly passed: number;
  /** Each piece of an answer waits this long. */
  slow(milliseconds: number): void;
  /** Each new connection ends in the middle of an answer, after as many bytes of answers as `after` says. */
  lose(after: () => number): void;
  /** Takes connections, and no answer comes back any more. */
  hush(): void;
  /** As when the host is gone: what is open ends, and nothing new is taken. */
  cut(): Promise<void>;
  mend(): Promise<void>;
}

export async function aRelay(to: string): Promise<Relay> {
  const { hostname, port: target } = new URL(to);
  const open = new Set<Socket>();
  let [delay, silent, passed] = [0, false, 0];
  let lifetime = (): number => Infinity;
  const carry = async (answers: Socket, client: Socket): Promise<void> => {
    let left = lifetime();
    for await (const piece of answers as AsyncIterable<Buffer>) {
      if (delay > 0) await pause(delay);
      if (silent || client.destroyed) continue;
      const sent = piece.subarray(0, left);
      client.write(sent);
      passed += sent.byteLength;
      left -= sent.byteLength;
      if (left <= 0) break;
    }
    client.end();
  };
  const server: Server = createServer((client) => {
    const onward = connect(Number(target), hostname);
    for (const socket of [client, onward]) {
      open.add(socket);
      socket.once("close", () => open.delete(socket));
      socket.on("error", () => undefined);
    }
    client.once("close", () => onward.destroy());
    client.pipe(onward);
    carry(onward, client).catch(() => client.destroy());
  });
  const listen = async (at: number): Promise<number> => {
    server.listen(at, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("the relay has no port");
    return address.port;
  };
  const cut = async (): Promise<void> => {
    const closed = server.listening ? once(server, "close") : undefined;
    server.close();
    for (const socket of open) socket.destroy();
    await closed;
  };
  const port = await listen(0);
  return {
    port,
    get passed() {
      return passed;
    },
    cut,
    lose: (after) => void (lifetime = after),
    slow: (milliseconds) => void (delay = milliseconds),
    hush: () => void (silent = true),
    mend: async () => {
      [delay, silent] = [0, false];
      // What was silent has lost answers, and is of no use any more.
      for (const socket of open) socket.destroy();
      if (!server.listening) await listen(port);
    },
    [Symbol.asyncDispose]: cut,
  };
}
