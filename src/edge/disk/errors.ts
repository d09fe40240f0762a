import { printBytes } from "../../std/bytes.ts";
import { Failure } from "../../model/failure.ts";

export function errorCode(error: unknown): string {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  return typeof code === "string" ? code : "unknown";
}

/** What the operating system said about writing to `path`, as a failure that says what to do. */
export function writeFailure(error: unknown, path: string, wanted = 0): unknown {
  if (error instanceof Failure || !(error instanceof Error) || !("syscall" in error)) return error;
  const code = errorCode(error);
  if (code === "ENOSPC" || code === "EDQUOT")
    return new Failure("DISK_FULL", { path, wanted: printBytes(wanted), free: printBytes(0) }, { cause: error });
  return new Failure("FILE_UNWRITABLE", { path, reason: code }, { cause: error });
}

/**
 * `undefined` for a file that is not there, to be caught with; whatever else was wrong with asking for it is told.
 * A path through a file that is no folder leads nowhere either.
 */
export function absent(path: string): (error: unknown) => undefined {
  return (error) => {
    const code = errorCode(error);
    if (code !== "ENOENT" && code !== "ENOTDIR") throw readFailure(error, path);
  };
}

export function readFailure(error: unknown, path: string): unknown {
  if (error instanceof Failure || !(error instanceof Error) || !("syscall" in error)) return error;
  const code = errorCode(error);
  if (code === "ENOENT") return new Failure("FILE_MISSING", { path }, { cause: error });
  return new Failure("FILE_UNREADABLE", { path, reason: code }, { cause: error });
}
