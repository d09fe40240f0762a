import { execa } from "execa";
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { program, type CliResult } from "./cli.ts";

/** What the program says with `--output json`. */
export type Said = Readonly<Record<string, unknown>> & { readonly type: string };

/** The built program while it runs, for tests that end it in the middle. */
export interface RunningCli {
  /** Resolves when it has said such a thing; rejects when it ends before. */
  says(wanted: (event: Said) => boolean): Promise<void>;
  signal(signal: "SIGINT" | "SIGTERM" | "SIGHUP"): void;
  /** As when the host loses power: the program and what it started, at once and unasked. */
  powerOff(): Promise<void>;
  /** The program alone; what it started may live on. */
  kill(): void;
  readonly result: Promise<CliResult & { readonly signal: string | undefined }>;
}

export interface StartOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** A program that starts ours, and becomes it: signals are for ours. */
  readonly by?: readonly string[];
}

export function startCli(args: readonly string[], { cwd, env = {}, by = [] }: StartOptions): RunningCli {
  const [command = "", ...first] = [...by, ...program];
  const child = execa(command, [...first, ...args, "--output", "json"], {
    cwd,
    env: { PATH: "/usr/bin:/bin", HOME: cwd, HIGRESS_AIRGAP_EXE_DIR: "", ...env },
    extendEnv: false,
    reject: false,
    stdin: "ignore",
  });
  const said: Said[] = [];
  const waiting = new Set<() => void>();
  createInterface({ input: child.stderr }).on("line", (line) => {
    if (line.startsWith("{")) said.push(JSON.parse(line) as Said);
    for (const look of waiting) look();
  });
  const result = child.then(({ exitCode, signal, stdout, stderr }) => ({ exitCode, signal, stdout, stderr }));
  return {
    result,
    says: async (wanted) => {
      const heard = new Promise<void>((resolve) => {
        const look = (): void => {
          if (!said.some(wanted)) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      });
      const ended = result.then(({ stderr }) => {
        if (!said.some(wanted)) throw new Error(`it ended without saying so:\n${stderr}`);
      });
      await Promise.race([heard, ended]);
    },
    signal: (signal) => void child.kill(signal),
    kill: () => void child.kill("SIGKILL"),
    powerOff: async () => {
      const { pid } = child;
      if (pid === undefined) throw new Error("it never started");
      // Stopped first: what cannot run can start nothing more.
      process.kill(pid, "SIGSTOP");
      const children = await childrenOf(pid);
      for (const each of [pid, ...children]) killNow(each);
    },
  };
}

async function childrenOf(pid: number): Promise<readonly number[]> {
  const text = await readFile(`/proc/${String(pid)}/task/${String(pid)}/children`, "utf8");
  return text.split(" ").filter(Boolean).map(Number);
}

/** It may have ended by itself since we looked. */
function killNow(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
