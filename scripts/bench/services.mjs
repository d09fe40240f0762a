// @ts-check
// The registries that bytes come from and go to, and a wire that is slow in time but not in bytes. Loopback only.
import { spawn } from "node:child_process";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { join } from "node:path";

/** @typedef {{ readonly host: string, close(): Promise<void> }} Service */

/** Debian's docker-registry with empty storage of its own. @param {string} directory @returns {Promise<Service>} */
export async function registry(directory) {
  const host = `127.0.0.1:${await freePort()}`;
  await mkdir(directory, { recursive: true });
  const config = {
    version: 0.1,
    log: { level: "error", accesslog: { disabled: true } },
    storage: {
      filesystem: { rootdirectory: join(directory, "storage") },
      maintenance: { uploadpurging: { enabled: false } },
    },
    http: { addr: host, secret: "of a benchmark" },
    validation: { disabled: true },
  };
  await writeFile(join(directory, "config.yml"), JSON.stringify(config));
  const options = /** @type {const} */ ({ cwd: directory, stdio: "ignore" });
  const child = spawn("nice", ["-n", "-10", "docker-registry", "serve", "config.yml"], options);
  const exited = new Promise((done) => child.once("exit", done));
  for (let tries = 0; !(await answers(host)); tries += 1) {
    if (tries > 200 || child.exitCode !== null) throw new Error(`docker-registry does not answer at ${host}`);
    await new Promise((later) => setTimeout(later, 50));
  }
  return {
    host,
    async close() {
      child.kill();
      await exited;
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** @param {string} host */
async function answers(host) {
  return fetch(`http://${host}/v2/`).then(
    ({ ok }) => ok,
    () => false,
  );
}

/**
 * Forwards to `target` and holds every chunk for `oneWay` milliseconds in each direction; a new connection costs a
 * round trip more, as its handshake would. Bytes are not limited.
 * @param {string} target @param {number} oneWay @returns {Promise<Service>}
 */
export async function delayed(target, oneWay) {
  const [hostname = "", port = ""] = target.split(":");
  const server = createServer({ noDelay: true }, (client) => {
    const upstream = connect({ host: hostname, port: Number(port), noDelay: true });
    const established = performance.now() + 2 * oneWay;
    forward(client, upstream, oneWay, established);
    forward(upstream, client, oneWay, established);
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", () => listening(undefined)));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    host: `127.0.0.1:${address.port}`,
    close: () => new Promise((done) => server.close(() => done())),
  };
}

/** What may be on the wire at once; more would be a wire of unlimited memory. */
const onTheWire = 8 * 1024 ** 2;

/**
 * One queue and one timer at a time: timers of different lengths do not keep the order of bytes.
 * @param {import("node:net").Socket} from @param {import("node:net").Socket} to @param {number} oneWay @param {number} notBefore
 */
function forward(from, to, oneWay, notBefore) {
  /** @type {{ readonly due: number, readonly chunk: Buffer | undefined }[]} */
  const wire = [];
  let held = 0;
  const wait = () => setTimeout(deliver, Math.max(0, (wire[0]?.due ?? 0) - performance.now()));
  const enter = (/** @type {Buffer | undefined} */ chunk) => {
    wire.push({ due: Math.max(performance.now(), notBefore) + oneWay, chunk });
    if (wire.length === 1) wait();
  };
  const deliver = () => {
    for (let next = wire[0]; next !== undefined && next.due <= performance.now() + 0.5; next = wire[0]) {
      wire.shift();
      if (next.chunk === undefined) to.end();
      else to.write(next.chunk);
      held -= next.chunk?.byteLength ?? 0;
    }
    if (held < onTheWire) from.resume();
    if (wire.length > 0) wait();
  };
  from.on("data", (chunk) => {
    held += chunk.byteLength;
    if (held >= onTheWire) from.pause();
    enter(chunk);
  });
  from.on("end", () => enter(undefined));
  from.on("error", () => to.destroy());
}

/** @returns {Promise<number>} */
async function freePort() {
  const server = createServer();
  await new Promise((listening) => server.listen(0, "127.0.0.1", () => listening(undefined)));
  const address = server.address();
  await new Promise((closed) => server.close(closed));
  return address !== null && typeof address === "object" ? address.port : 0;
}
