import { once } from "node:events";
import { readFile } from "node:fs/promises";
import https from "node:https";

import { serveLogs, type LogSource } from "./logs.ts";

export interface LogServer {
  readonly port: number;
  close(): Promise<void>;
}

export interface LogServerOptions extends LogSource {
  readonly certFile: string;
  readonly keyFile: string;
}

/** Where the API server turns to for `kubectl logs`; any certificate does, since it is not told to check one. */
export async function aLogServer({ certFile, keyFile, ...source }: LogServerOptions): Promise<LogServer> {
  const server = https.createServer({ cert: await readFile(certFile), key: await readFile(keyFile) });
  server.on("request", (request, response) => {
    serveLogs(request, response, source);
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
      await closed;
    },
  };
}
