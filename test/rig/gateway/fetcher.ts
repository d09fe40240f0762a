import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

import { gatewayProgram } from "./parts.ts";

/** What the agent's fetcher took out of an image, or why nothing. */
export interface Fetched {
  readonly digest?: string;
  /** Hex, of the module; of nothing when it was empty. */
  readonly sha256?: string;
  readonly size: number;
  readonly error?: string;
}

export interface FetcherOptions {
  /** The only CA that it believes, in a file. */
  readonly caFile?: string;
}

/** Asks the real `pkg/wasm` of the Istio agent for these images, one after another. */
export async function realFetcher(
  references: readonly string[],
  { caFile }: FetcherOptions = {},
): Promise<readonly Fetched[]> {
  const env = { ...(caFile === undefined ? {} : { SSL_CERT_FILE: caFile }) };
  const child = spawn(gatewayProgram(), ["fetch"], { env, stdio: ["pipe", "pipe", "ignore"] });
  const closed = once(child, "close");
  child.stdin.end(references.map((each) => `${each}\n`).join(""));
  const answers: Fetched[] = [];
  // The agent's log goes to standard output, too.
  for await (const line of createInterface({ input: child.stdout }))
    if (line.startsWith("{")) answers.push(JSON.parse(line) as Fetched);
  await closed;
  if (answers.length !== references.length)
    throw new Error(`${String(answers.length)} answers to ${String(references.length)} questions`);
  return answers;
}
