import { createReporter, type Reporter, type ReporterOptions } from "../../src/ui/reporter.ts";

export interface Recorded {
  readonly reporter: Reporter;
  readonly clock: { now: number };
  readonly written: string[];
}

/** A reporter of its own clock, and each piece that it wrote. */
export function recorded(options: Partial<ReporterOptions>): Recorded {
  const clock = { now: 1_000_000 };
  const written: string[] = [];
  const write = (text: string): void => void written.push(text);
  const reporter = createReporter({
    mode: "plain",
    language: "en",
    write,
    columns: () => 80,
    now: () => clock.now,
    ...options,
  });
  return { reporter, clock, written };
}
