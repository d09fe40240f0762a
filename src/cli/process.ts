import { setMaxListeners } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface, type Interface } from "node:readline/promises";
import { isatty } from "node:tty";
import { styleText } from "node:util";
import { Failure, isFailure } from "../model/failure.ts";
import { chooseLanguage } from "../ui/language.ts";
import type { Style } from "../ui/lines.ts";
import { createReporter, type Reporter, type ReporterOptions } from "../ui/reporter.ts";
import { afterProgress, type Context } from "./context.ts";
import { ExitCode, exitCodeOf } from "./exit-code.ts";
import { shellWord } from "../std/shell-word.ts";
import { speakAsTerminal } from "./terminal-charset.ts";
import { answersVersion, versionLine } from "./version.ts";

/** The process as a function: argv and signals in, exit code out. Never calls `exit`: what is open is closed first. */
export async function runProcess(): Promise<ExitCode> {
  const argv = process.argv.slice(2);
  if (answersVersion(argv, process)) return ExitCode.done;
  // The language must be known before the parser speaks.
  const language = chooseLanguage(flagValue(argv, "lang"), process.env);
  if (argv[0] === "__complete") return (await import("./completion.ts")).answerShell(argv.slice(1), language, process);
  // helm starts this for the patches of a map (src/edge/process/helm-post-renderer.ts): it waits for nothing else.
  if (argv[0] === "__post-render") return (await import("./post-render.ts")).postRender(argv[1] ?? "", process);
  speakAsTerminal(language, process);
  const stop = new AbortController();
  // Every transfer in flight listens to the one signal; that is bounded by --concurrency, not a leak.
  setMaxListeners(1024, stop.signal);
  let program: string | undefined;
  const reporter = processReporter(flagValue(argv, "output"), {
    language,
    verbose: argv.includes("--verbose"),
    program: () => program,
  });
  const unwritten = outputErrors();
  listenForSignals(stop, reporter);
  const questions = terminalQuestions(stop.signal);
  const ticking = setInterval(() => {
    if (!questions.waiting()) reporter.tick();
  }, 500).unref();
  const context = (): Context => ({
    env: process.env,
    cwd: process.cwd(),
    stdout: afterProgress(process.stdout, reporter),
    signal: stop.signal,
    reporter,
    language,
    columns: terminalColumns(process),
    // Asked of the descriptor: `process.stdin` would make a stream, for the few commands that read it.
    ...(isatty(0) && process.stderr.isTTY ? { ask: (question) => questions.ask(question) } : {}),
    now: () => new Date(),
  });
  try {
    // The parser costs as much as starting Node does: what needs none must not wait for it.
    const [{ runApp }, { typedAs }] = await Promise.all([import("./app.ts"), import("./started-as.ts")]);
    program = typedAs(process.env).map(shellWord).join(" ");
    const { code, text } = await runApp(argv, versionLine(process), language, context);
    if (text !== "") process.stdout.write(`${text}\n`);
    const error = await unwritten();
    if (error !== undefined) throw error;
    return code ?? ExitCode.done;
  } catch (thrown) {
    const error = withoutFiles(originalError(thrown));
    const interrupted = stop.signal.aborted;
    reporter.failure(
      interrupted && !isFailure(error) ? new Failure("INTERRUPTED", { left: "" }, { cause: error }) : error,
    );
    return exitCodeOf(error, interrupted);
  } finally {
    clearInterval(ticking);
    questions.close();
    reporter.close();
  }
}

/**
 * What is printed may not arrive: a full disk behind `>`, a pager that was left. Node raises that as an error event, which
 * nobody who prints waits for. The last question asks for all of it; whoever reads only the first lines wanted no more.
 */
function outputErrors(): () => Promise<Failure | undefined> {
  let first: NodeJS.ErrnoException | undefined;
  process.stdout.on("error", (error: NodeJS.ErrnoException) => (first ??= error));
  // Where failures are told there is nobody left to tell of one.
  process.stderr.on("error", () => undefined);
  return async () => {
    await new Promise((written) => process.stdout.write("", written));
    if (first === undefined || first.code === "EPIPE") return undefined;
    return new Failure("OUTPUT_LOST", { reason: first.code ?? "" }, { cause: first });
  };
}

/**
 * Whatever was to be opened, a file, a connection or a program: when no more can be, that is what has to be known, and
 * not that the permissions of this one be checked.
 */
function withoutFiles(error: unknown): unknown {
  for (let each = error; each instanceof Error; each = each.cause) {
    const { code, syscall } = each as NodeJS.ErrnoException;
    if (code === "EMFILE" || code === "ENFILE") return new Failure("OPEN_FILES", { reason: code }, { cause: error });
    // Asked by whoever comes first, the parser too: the folder of the shell was removed, or its stick was pulled out.
    if (syscall === "uv_cwd") return new Failure("FILE_MISSING", { path: process.env["PWD"] ?? "." }, { cause: error });
  }
  return error;
}

/** The first signal stops new work and lets what is open close; the second one ends at once. */
function listenForSignals(stop: AbortController, reporter: Reporter): void {
  listenForHangup(stop);
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      if (stop.signal.aborted) endNow();
      reporter.report({ type: "note", text: "interrupted", facts: {} });
      stop.abort(new Failure("INTERRUPTED", { left: "" }));
    });
  }
}

/**
 * Node's end waits for its threads, and one of them may wait for a file server that hangs, or for the reader of a pipe.
 * What removes temporary folders at the end is asked first, as it has been here longer.
 */
function endNow(): never {
  process.once("exit", () => {
    process.removeAllListeners("SIGINT");
    // To a shell this is 130, as the exit code of what was interrupted is.
    process.kill(process.pid, "SIGINT");
  });
  process.exit(ExitCode.interrupted);
}

/**
 * A dropped connection stops work as SIGTERM does. The kernel and the shell may both say so, so the second is no order
 * to hurry; and the terminal is gone, so what is written there fails, which must not end us before what is open is
 * closed. Under `nohup` the signal was ignored when we began (bit 1 of SigIgn in proc(5)), and stays so.
 */
function listenForHangup(stop: AbortController): void {
  if (hangupIsIgnored()) return;
  process.on("SIGHUP", () => {
    stop.abort(new Failure("INTERRUPTED", { left: "" }));
  });
}

function hangupIsIgnored(): boolean {
  try {
    const ignored = /^SigIgn:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
    return (BigInt(`0x${ignored}`) & 1n) === 1n;
  } catch {
    // No proc file system: not Linux.
    return false;
  }
}

function processReporter(
  output: string | undefined,
  { language, verbose, program }: Pick<ReporterOptions, "language" | "verbose" | "program">,
): Reporter {
  const terminal = process.stderr.isTTY && process.env["TERM"] !== "dumb";
  const mode = output === "json" ? "json" : output === "plain" || !terminal ? "plain" : "terminal";
  const colour = mode === "terminal" && (process.env["NO_COLOR"] ?? "") === "";
  return createReporter({
    mode,
    language,
    verbose,
    write: (text) => void process.stderr.write(text),
    columns: () => process.stderr.columns,
    now: () => Date.now(),
    program,
    ...(colour ? { style: colours } : {}),
  });
}

/** Serial consoles say 0 or nothing for "not known": COLUMNS then, as the shell keeps it, else what such consoles have. */
export function terminalColumns({
  stdout,
  env,
}: {
  readonly stdout: { readonly isTTY?: boolean; readonly columns?: number };
  readonly env: Readonly<Record<string, string | undefined>>;
}): number | undefined {
  if (stdout.isTTY !== true) return undefined;
  return [stdout.columns, Number(env["COLUMNS"])].find((columns) => columns !== undefined && columns > 0) ?? 80;
}

const colours: Style = (kind, text) =>
  styleText(({ good: "green", warn: "yellow", bad: "red", dim: "dim" } as const)[kind], text, {
    validateStream: false,
  });

/** `--name value` and `--name=value`, before the parser runs. */
function flagValue(argv: readonly string[], name: string): string | undefined {
  const at = argv.indexOf(`--${name}`);
  if (at >= 0) return argv[at + 1];
  return argv.find((word) => word.startsWith(`--${name}=`))?.slice(name.length + 3);
}

interface Questions {
  /** @throws Failure INTERRUPTED at Ctrl-D or when `signal` fires */
  ask(question: string): Promise<string>;
  /** Somebody types: nothing may be drawn over that line. */
  waiting(): boolean;
  close(): void;
}

/**
 * Asks on the terminal, on stderr: stdout may be a pipe that wants data only. One reader for all questions, since what
 * was typed ahead would be lost with the reader that had read it.
 */
function terminalQuestions(signal: AbortSignal): Questions {
  let open = 0;
  let ended = false;
  let lines: { readonly reader: Interface; readonly answers: AsyncIterator<string> } | undefined;
  const start = (): NonNullable<typeof lines> => {
    const reader = createInterface({ input: process.stdin, output: process.stderr });
    // The reader takes Ctrl-C for itself; it must mean here what it means everywhere.
    reader.on("SIGINT", () => process.kill(process.pid, "SIGINT"));
    reader.once("close", () => (ended = true));
    signal.addEventListener("abort", () => reader.close(), { once: true });
    return { reader, answers: reader[Symbol.asyncIterator]() };
  };
  return {
    ask: async (question) => {
      signal.throwIfAborted();
      const { reader, answers } = (lines ??= start());
      // What was typed ahead may have ended by now. Such a reader would open standard input again, which nobody closes.
      if (!ended) {
        reader.setPrompt(question);
        reader.prompt();
      }
      open += 1;
      const answer = await answers.next().finally(() => (open -= 1));
      if (answer.done === true) throw new Failure("INTERRUPTED", { left: "" });
      return answer.value;
    },
    waiting: () => open > 0,
    close: () => lines?.reader.close(),
  };
}

/**
 * The error that a caller has to hear of. When `await using` closes something after a failure and the closing fails too,
 * what is thrown is a `SuppressedError` around both; the failure came first, and is why.
 */
export function originalError(error: unknown): unknown {
  if (!(error instanceof Error) || error.name !== "SuppressedError" || !("suppressed" in error)) return error;
  return originalError(error.suppressed);
}
