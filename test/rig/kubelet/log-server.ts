import { once } from "node:events";
import { readFile } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import https from "node:https";
import { connect } from "node:net";
import type { Duplex } from "node:stream";

import { serveLogs, type LogSource } from "./logs.ts";

export interface LogServer {
  readonly port: number;
  close(): Promise<void>;
}

export interface LogServerOptions extends LogSource {
  readonly certFile: string;
  readonly keyFile: string;
  /** The socket that exec and port-forward of a pod go to; undefined where nothing real runs. */
  readonly streamsOf: (ref: StreamRef) => string | undefined;
}

export interface StreamRef {
  readonly namespace: string;
  readonly pod: string;
  readonly container?: string;
}

/** Where the API server turns to for `kubectl logs`; any certificate does, since it is not told to check one. */
export async function aLogServer({ certFile, keyFile, streamsOf, ...source }: LogServerOptions): Promise<LogServer> {
  const server = https.createServer({ cert: await readFile(certFile), key: await readFile(keyFile) });
  server.on("request", (request, response) => {
    serveLogs(request, response, source);
  });
  // `closeAllConnections` knows none that was upgraded, and the API server holds its end of one for two minutes.
  const upgraded = new Set<Duplex>();
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    upgraded.add(socket);
    socket.on("close", () => upgraded.delete(socket));
    const [, , namespace = "", pod = "", container] = (request.url ?? "").split(/[/?]/);
    const named = request.url?.startsWith("/exec/") === true && container !== undefined ? { container } : {};
    const streams = streamsOf({ namespace, pod, ...named });
    if (streams === undefined) socket.end("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n");
    else passOn(request, { socket, head, streams });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the log server has no port");
  return {
    port: address.port,
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      for (const socket of upgraded) socket.destroy();
      await closed;
    },
  };
}

/** What was already read of the request, and then everything as it is: the protocols behind it are not ours to know. */
function passOn(
  { method = "", url = "", rawHeaders }: IncomingMessage,
  { socket, head, streams }: { readonly socket: Duplex; readonly head: Buffer; readonly streams: string },
): void {
  const pairs = rawHeaders.flatMap((name, at) => (at % 2 === 0 ? `${name}: ${rawHeaders[at + 1] ?? ""}\r\n` : []));
  const inside = connect(streams);
  const end = (): void => {
    socket.destroy();
    inside.destroy();
  };
  inside.write(`${method} ${url} HTTP/1.1\r\n${pairs.join("")}\r\n`);
  inside.write(head);
  socket.on("error", end).on("close", end).pipe(inside.on("error", end).on("close", end)).pipe(socket);
}
