import { execa, type Options } from "execa";
import { dirname } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { Tools } from "../../test/rig/tools.ts";
import type { Screen } from "./screen.ts";

const file = fileURLToPath(new URL("../../dist/main.mjs", import.meta.url));

export interface ProgramOptions {
  readonly screen: Screen;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** HOME of the program: nothing of the person who runs the demo is read or written. */
  readonly folder: string;
  readonly tools: Tools;
}

/** A command that goes on until it is disposed of. */
export interface Running extends AsyncDisposable {
  readonly url: string;
}

/** The built program as a child process: each command is printed, then what it says as it says it. */
export class Program {
  readonly #screen: Screen;
  readonly #env: Record<string, string>;

  constructor({ screen, env, folder, tools }: ProgramOptions) {
    const locale = Object.fromEntries(
      ["LC_ALL", "LC_MESSAGES", "LANG"].flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])),
    ) as Record<string, string>;
    this.#screen = screen;
    // Of the sample's files none has a date of its own; the same bytes come out in every run.
    const epoch = { SOURCE_DATE_EPOCH: "1767225600" };
    // Executables of 100 MB each would say nothing here.
    const small = { HIGRESS_AIRGAP_EXE_DIR: "" };
    this.#env = {
      ...locale,
      ...epoch,
      ...small,
      HOME: folder,
      PATH: `${dirname(tools.helm)}:${dirname(tools.kubectl)}:/usr/bin:/bin`,
    };
  }

  /** @throws Error when it does not end with 0 */
  async run(cwd: string, ...args: readonly string[]): Promise<void> {
    const child = this.#start(cwd, args);
    for await (const line of linesOf(child.all)) this.#screen.output(line);
    const { exitCode } = await child;
    if (exitCode !== 0) throw new Error(`higress-airgap ${args[0] ?? ""} ended with exit code ${exitCode ?? "none"}`);
  }

  /** Starts a server; resolves when it has said where it listens. */
  async serve(cwd: string, ...args: readonly string[]): Promise<Running> {
    const child = this.#start(cwd, args);
    const lines = linesOf(child.all);
    for await (const line of lines) {
      this.#screen.output(line);
      const url = /https?:\/\/[\d.]+:\d+/.exec(line)?.[0];
      if (url === undefined) continue;
      return {
        url,
        async [Symbol.asyncDispose]() {
          child.kill("SIGTERM");
          const { exitCode } = await child;
          if (exitCode !== 0) throw new Error(`higress-airgap serve ended with exit code ${exitCode ?? "none"}`);
        },
      };
    }
    throw new Error("higress-airgap serve ended before it listened");
  }

  #start(cwd: string, args: readonly string[]) {
    this.#screen.command(["higress-airgap", ...args].join(" "));
    const options = { cwd, env: this.#env, extendEnv: false, stdin: "ignore", all: true, reject: false } as const;
    return execa(process.execPath, [file, ...args], options satisfies Options);
  }
}

function linesOf(stream: Readable): AsyncIterable<string> {
  return createInterface({ input: stream, crlfDelay: Infinity });
}
