import type { Options, Result } from "execa";
import { Failure } from "../../model/failure.ts";
import { redact } from "../../model/sanitize.ts";

export interface RunOptions {
  readonly args: readonly string[];
  /** The whole environment: nothing of ours leaks into the child that was not meant for it. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Goes to stdin: the way for secrets and manifests, never argv. */
  readonly input?: string | Uint8Array | undefined;
  readonly cwd?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly timeoutSeconds?: number | undefined;
  /** Bytes of stdout that are kept; more is a failure rather than a half-read document. @default 256 MiB */
  readonly maxOutput?: number | undefined;
  /**
   * After SIGTERM; helm needs time to write `failed` into its release (docs/facts/kubernetes.md#stopping-helm).
   * @default 60
   */
  readonly killAfterSeconds?: number | undefined;
}

export interface RunResult {
  readonly exitCode: number;
  readonly stdout: string;
  /** Secrets are taken out. Control characters of the child may be in it: sanitize it before it enters a failure. */
  readonly stderr: string;
}

/**
 * Runs a program to its end; a non-zero exit is a result, not an exception.
 * @throws Failure TOOL_MISSING when it cannot be started; the abort reason when `signal` fired
 */
export async function run(file: string, options: RunOptions): Promise<RunResult> {
  // Loaded when a program is run: execa is a hundred modules, which commands that run none need not load.
  const { execa } = await import("execa");
  const result = await execa(file, [...options.args], childOptions(options));
  options.signal?.throwIfAborted();
  if (result.exitCode !== undefined)
    return { exitCode: result.exitCode, stdout: text(result.stdout), stderr: redact(text(result.stderr)) };
  return withoutExitCode(file, result);
}

function childOptions(options: RunOptions): Options {
  const { cwd, signal, timeoutSeconds, input } = options;
  return {
    env: definedOnly(options.env),
    extendEnv: false,
    reject: false,
    stripFinalNewline: false,
    maxBuffer: { stdout: options.maxOutput ?? 256 * 1024 ** 2, stderr: 4 * 1024 ** 2 },
    forceKillAfterDelay: (options.killAfterSeconds ?? 60) * 1000,
    ...(input === undefined ? { stdin: "ignore" } : { input }),
    ...(cwd === undefined ? {} : { cwd }),
    ...(signal === undefined ? {} : { cancelSignal: signal }),
    ...(timeoutSeconds === undefined ? {} : { timeout: timeoutSeconds * 1000 }),
  };
}

/** The exit code of what took longer than it was given, as `timeout` of coreutils has it. */
export const timedOut = 124;

/** Killed, timed out, or never started. execa's message holds the whole argv; only the code leaves this place. */
function withoutExitCode(file: string, result: Result): RunResult {
  const stdout = text(result.stdout);
  const stderr = redact(text(result.stderr));
  if (result.timedOut) return { exitCode: timedOut, stdout, stderr: `${stderr}\ntimeout` };
  if (result.isTerminated) return { exitCode: 137, stdout, stderr: `${stderr}\n${result.signal ?? "killed"}` };
  throw new Failure("TOOL_MISSING", { tool: file, looked: result.code ?? "not started" });
}

function text(output: unknown): string {
  return typeof output === "string" ? output : "";
}

function definedOnly(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));
}
