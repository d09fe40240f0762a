import { runApp } from "../../src/cli/app.ts";
import type { ExitCode } from "../../src/cli/exit-code.ts";
import type { Language } from "../../src/ui/language.ts";
import { createReporter } from "../../src/ui/reporter.ts";

export interface CommandRun {
  readonly code: ExitCode | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly cwd?: string;
  readonly language?: Language;
  readonly env?: Readonly<Record<string, string>>;
  /** Answers in the order of the questions; with it, somebody sits at the terminal. */
  readonly answers?: readonly string[];
  readonly signal?: AbortSignal;
  /** Given each piece of stderr as it comes, also of a command that throws. */
  readonly says?: (text: string) => void;
}

/** Runs a command in this process, from argv to what is printed. Failures are thrown as the command threw them. */
export async function runCommand(argv: readonly string[], options: CommandOptions = {}): Promise<CommandRun> {
  const { cwd = ".", language = "en", env = {}, answers, signal = new AbortController().signal, says } = options;
  let stdout = "";
  let stderr = "";
  const questions = [...(answers ?? [])];
  const reporter = createReporter({
    mode: "plain",
    language,
    write: (text) => {
      stderr += text;
      says?.(text);
    },
    columns: () => 80,
    now: () => 0,
  });
  const result = await runApp(argv, "1.2.3", language, () => ({
    env,
    cwd,
    stdout: { write: (text: string) => (stdout += text) },
    signal,
    reporter,
    language,
    ...(answers === undefined
      ? {}
      : {
          ask: (question: string) => {
            stderr += question;
            return Promise.resolve(questions.shift() ?? "");
          },
        }),
    now: () => new Date(0),
  }));
  return { code: result.code, stdout: stdout + result.text, stderr };
}
