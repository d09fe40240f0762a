import { createInterface, type Interface } from "node:readline/promises";
import { Failure } from "../model/failure.ts";

export interface Questions {
  /** @throws Failure INTERRUPTED at Ctrl-D or when `signal` fires */
  ask(question: string): Promise<string>;
  close(): void;
}

/**
 * Asks on the terminal, on stderr: stdout may be a pipe that wants data only. One reader for all questions, since what
 * was typed ahead would be lost with the reader that had read it.
 */
export function terminalQuestions(signal: AbortSignal): Questions {
  let lines: { readonly reader: Interface; readonly answers: AsyncIterator<string> } | undefined;
  const start = (): NonNullable<typeof lines> => {
    const reader = createInterface({ input: process.stdin, output: process.stderr });
    // The reader takes Ctrl-C for itself; it must mean here what it means everywhere.
    reader.on("SIGINT", () => process.kill(process.pid, "SIGINT"));
    signal.addEventListener("abort", () => reader.close(), { once: true });
    return { reader, answers: reader[Symbol.asyncIterator]() };
  };
  return {
    ask: async (question) => {
      signal.throwIfAborted();
      const { reader, answers } = (lines ??= start());
      reader.setPrompt(question);
      reader.prompt();
      const answer = await answers.next();
      if (answer.done === true) throw new Failure("INTERRUPTED", { left: "" });
      return answer.value;
    },
    close: () => lines?.reader.close(),
  };
}
