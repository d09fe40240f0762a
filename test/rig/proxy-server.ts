import { once } from "node:events";
import http, { type IncomingMessage } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";

/** A forward proxy as a company has one: CONNECT for https, full addresses for http. */
export interface ProxyServer extends AsyncDisposable {
  readonly url: string;
  /** `CONNECT 127.0.0.1:443`, `GET http://…`: what it was asked for. */
  readonly asked: readonly string[];
  readonly credentials: readonly (string | undefined)[];
  /** From now on it answers only that. */
  refuse(status: number): void;
}

export async function aProxyServer(): Promise<ProxyServer> {
  const asked: string[] = [];
  const credentials: (string | undefined)[] = [];
  const tunnels = new Set<Socket>();
  let refused: number | undefined;
  const note = (request: IncomingMessage): void => {
    asked.push(`${request.method ?? ""} ${request.url ?? ""}`);
    credentials.push(request.headers["proxy-authorization"]);
  };
  const server = http.createServer((request, response) => {
    note(request);
    if (refused !== undefined) return void response.writeHead(refused).end();
    const { method, headers, url = "" } = request;
    const onward = http.request(url, { method, headers, agent: false }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on("error", () => request.socket.destroy());
    request.pipe(onward);
  });
  server.on("connect", (request, socket) => {
    note(request);
    if (refused !== undefined) return void socket.end(`HTTP/1.1 ${String(refused)} no\r\n\r\n`);
    const [host = "", port = ""] = (request.url ?? "").split(":");
    const onward = connect(Number(port), host, () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      socket.pipe(onward).pipe(socket);
    });
    tunnels.add(onward);
    onward.on("error", () => socket.destroy());
    onward.once("close", () => tunnels.delete(onward));
    socket.on("error", () => onward.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    asked,
    credentials,
    refuse: (status) => void (refused = status),
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      for (const tunnel of tunnels) tunnel.destroy();
      await Promise.resolve();
    },
  };
}
