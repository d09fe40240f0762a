import { execFileSync } from "node:child_process";

/** Why no medium can be made slow here; undefined when one can. */
export function slowMediumUnavailable(): string | undefined {
  try {
    const [strace = "", ...flags] = slowly("/dev/null", 0);
    execFileSync(strace, [...flags, "true"], { stdio: "ignore", timeout: 120_000 });
    return undefined;
  } catch {
    return "strace is not here, or may not trace: install Debian's strace, allow ptrace";
  }
}

/**
 * Before a command: each read at a place of a file takes so many milliseconds more, as on a disk whose head jumps, and
 * goes to `trace`.
 */
export function slowly(trace: string, milliseconds: number): readonly string[] {
  const delay = `inject=pread64:delay_exit=${String(milliseconds * 1000)}`;
  return ["strace", "-f", "-qq", "-y", "-s", "1", "-e", "trace=pread64", "-e", delay, "-o", trace];
}

/** How often reads of `file` began somewhere else than where the one before had ended. */
export function jumpsIn(trace: string, file: string): number {
  const begun = new Map<string, string>();
  let [jumps, end] = [0, 0];
  for (const line of trace.split("\n")) {
    const [thread = ""] = line.split(/\s/, 1);
    const opened = /pread64\(\d+<([^>]*)>/.exec(line)?.[1];
    if (opened !== undefined) begun.set(thread, opened);
    const [, offset, count] = /, (\d+)\)\s+= (\d+)/.exec(line) ?? [];
    if (offset === undefined || begun.get(thread) !== file) continue;
    if (Number(offset) !== end) jumps += 1;
    end = Number(offset) + Number(count);
  }
  return jumps;
}
