import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import http, { type IncomingHttpHeaders } from "node:http";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";

import type { Behaviour } from "../kubelet/behaviour.ts";
import type { Program } from "../kubelet/program.ts";
import { gatewayProgram } from "./parts.ts";

/** What `gateway container` reads; its fields are those of containerSpec. */
export interface ContainerSpec {
  readonly name: string;
  readonly args: readonly string[];
  readonly env: readonly string[];
  /** Folder to file name to content in Base64. */
  readonly volumes: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly hosts: readonly string[];
  readonly egress: Readonly<Record<number, string>>;
  readonly envoy: string;
  readonly template: string;
  readonly shared: string;
}

export interface GatewayAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const readyPort = 15021;
const answerMs = 30_000;
const probeMs = 2_000;

/** The gateway's container: the real agent and the real Envoy, in namespaces of their own. */
export class GatewayPod implements Program {
  readonly #spec: () => Promise<ContainerSpec>;
  readonly #place: { readonly name: string; readonly shared: string };
  #child: ChildProcessByStdio<Writable, Readable, Readable> | undefined;
  #gone: Promise<unknown> | undefined;
  #exit: number | undefined;
  #lines: string[] = [];
  #earlier: readonly string[] = [];

  constructor(place: { readonly name: string; readonly shared: string }, spec: () => Promise<ContainerSpec>) {
    this.#place = place;
    this.#spec = spec;
  }

  get lines(): readonly string[] {
    return this.#lines;
  }

  get earlier(): readonly string[] {
    return this.#earlier;
  }

  get streams(): string {
    return join(this.#place.shared, `${this.#place.name}.streams`);
  }

  get running(): boolean {
    return this.#child !== undefined && this.#exit === undefined;
  }

  async start(): Promise<void> {
    const { name, shared } = this.#place;
    const file = join(shared, `${name}.json`);
    await writeFile(file, JSON.stringify(await this.#spec()));
    this.#earlier = this.#lines;
    this.#lines = [];
    this.#exit = undefined;
    const child = spawn(gatewayProgram(), ["container", file], { stdio: ["pipe", "pipe", "pipe"] });
    this.#child = child;
    const lines = this.#lines;
    for (const stream of [child.stdout, child.stderr])
      createInterface({ input: stream }).on("line", (line) => lines.push(line));
    this.#gone = once(child, "close").then(([code, signal]: (number | string | null)[]) => {
      this.#exit = typeof code === "number" ? code : 137;
      if (signal !== null) lines.push(`ended by ${String(signal)}`);
    });
  }

  async stop(): Promise<void> {
    this.#child?.kill("SIGKILL");
    await this.#gone;
  }

  async behaviour(): Promise<Behaviour> {
    if (this.#child === undefined) return { kind: "unready", message: "not started" };
    if (this.#exit !== undefined) return { kind: "crashes", exitCode: this.#exit, reason: "Error" };
    const answer = await this.ask(readyPort, "/healthz/ready", {}, probeMs).catch((error: unknown) => String(error));
    if (typeof answer !== "string" && answer.status === 200) return { kind: "healthy" };
    const seen = typeof answer === "string" ? answer : `HTTP probe failed with statuscode: ${String(answer.status)}`;
    return { kind: "unready", message: seen };
  }

  /** A request to one of the pod's ports, from outside of it. */
  async ask(
    port: number,
    path: string,
    headers: Readonly<Record<string, string>> = {},
    timeout = answerMs,
  ): Promise<GatewayAnswer> {
    const socket = await this.#dial(port);
    try {
      return await new Promise((resolve, reject) => {
        const agent = new http.Agent();
        agent.createConnection = () => socket;
        const request = http.get({ host: "gateway", path, headers, agent, timeout }, (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("end", () => {
            const body = Buffer.concat(chunks).toString();
            resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
          });
        });
        request.on("timeout", () => request.destroy(new Error("no answer in time")));
        request.on("error", reject);
      });
    } finally {
      socket.destroy();
    }
  }

  async #dial(port: number): Promise<Socket> {
    const socket = connect(join(this.#place.shared, `${this.#place.name}.ports`));
    await once(socket, "connect");
    socket.write(`${String(port)}\n`);
    return socket;
  }

  /** Resident memory of everything in the container, in MiB. */
  memory(): number {
    const below = (pid: number): readonly number[] => [pid, ...childrenOf(pid).flatMap(below)];
    return this.#child?.pid === undefined ? 0 : below(this.#child.pid).reduce((sum, pid) => sum + residentMiB(pid), 0);
  }
}

function childrenOf(pid: number): readonly number[] {
  try {
    const text = readFileSync(`/proc/${String(pid)}/task/${String(pid)}/children`, "utf8");
    return text.split(" ").filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

function residentMiB(pid: number): number {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${String(pid)}/status`, "utf8"))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}
