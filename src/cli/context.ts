import type { Language } from "../ui/language.ts";
import type { Reporter } from "../ui/reporter.ts";

export interface Output {
  write(text: string): unknown;
}

/** What a command may touch of the world. Nothing below `cli/` sees the process. */
export interface Context {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Data goes to stdout, talk to the reporter (stderr). */
  readonly stdout: Output;
  /** Aborts on SIGINT, SIGTERM and SIGHUP. */
  readonly signal: AbortSignal;
  readonly reporter: Reporter;
  readonly language: Language;
  /** Of the terminal that stdout is; absent where it is a pipe or a file, which get everything in full. */
  readonly columns?: number | undefined;
  /** Asks a person; absent where nobody sits at a terminal. */
  readonly ask?: ((question: string) => Promise<string>) | undefined;
  readonly now: () => Date;
}

/** What was under way has come to its result; a line about it that is still drawn would stand before that. */
export function afterProgress(output: Output, reporter: Pick<Reporter, "close">): Output {
  return {
    write(text) {
      reporter.close();
      return output.write(text);
    },
  };
}
