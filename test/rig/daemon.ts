import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

/** A program that runs until it is disposed of, in a process group of its own. */
export interface Daemon extends AsyncDisposable {
  readonly name: string;
  /** Undefined while it runs, then how it ended. */
  ended(): string | undefined;
  /** All that it printed so far, both streams. */
  log(): Promise<string>;
  /** Resolves once `check` does not throw and does not return false; rejects with the log when the program ends first. */
  until(check: () => Promise<unknown>, deadlineMs?: number): Promise<void>;
}

export interface DaemonOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Working directory, HOME and TMPDIR of the program; its log goes here too. */
  readonly directory: string;
}

const pollMs = 25;

export function aDaemon({ name, command, args, directory }: DaemonOptions): Daemon {
  const logFile = join(directory, `${name}.log`);
  const log = openSync(logFile, "a");
  const child = spawn(command, args, {
    cwd: directory,
    // No ambient state: a proxy or KUBECONFIG of the person who runs the tests must not reach the servers.
    env: { PATH: process.env["PATH"] ?? "", HOME: directory, TMPDIR: directory },
    stdio: ["ignore", log, log],
    detached: true,
  });
  closeSync(log);
  child.unref();

  let end: string | undefined;
  const gone = new Promise<void>((resolve) => {
    const ends = (how: string) => {
      end = how;
      resolve();
    };
    child.once("error", ({ message }) => {
      ends(message);
    });
    child.once("exit", (code, signal) => {
      ends(`ended with ${signal ?? `exit code ${String(code)}`}`);
    });
  });
  const release = child.pid === undefined ? () => undefined : killWithUs(child.pid);

  return {
    name,
    ended: () => end,
    log: () => readFile(logFile, "utf8"),
    async until(check, deadlineMs = 180_000) {
      const deadline = Date.now() + deadlineMs;
      let last: unknown = "it was never asked";
      while (end === undefined) {
        if (Date.now() > deadline) throw new Error(`${name} is not ready: ${String(last)}`, { cause: last });
        try {
          if ((await check()) !== false) return;
        } catch (error) {
          last = error;
        }
        await delay(pollMs);
      }
      throw new Error(`${name} ${end}:\n${tail(await readFile(logFile, "utf8"))}`);
    },
    async [Symbol.asyncDispose]() {
      // Else a process with nothing more to do than this would end before the program does.
      child.ref();
      if (child.pid !== undefined && end === undefined) killGroup(child.pid);
      await gone;
      release();
    },
  };
}

/**
 * A shell that holds the read end of a pipe of ours: when this process dies, in whatever way, the read ends and the
 * shell kills the group. An exit handler is not enough: vitest ends a worker that hangs with a signal, and a person
 * presses Ctrl-C; both left an etcd and an apiserver behind. (dash knows a group after `-s KILL --` only, not `-KILL --`.)
 */
function killWithUs(group: number): () => void {
  const guard = spawn("/bin/sh", ["-c", 'read -r _; kill -s KILL -- "-$1"', "guard", String(group)], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  guard.unref();
  guard.on("error", () => undefined);
  return () => {
    // Kill first, close after: closing its standard input is what makes it fire.
    guard.kill("SIGKILL");
  };
}

function killGroup(group: number): void {
  try {
    process.kill(-group, "SIGKILL");
  } catch {
    // It ended between the check and the signal.
  }
}

function tail(text: string): string {
  return text.trimEnd().split("\n").slice(-30).join("\n");
}
