import { Failure, isFailure } from "../../model/failure.ts";
import { readText } from "../files/read-text.ts";

/**
 * A small file as text; `undefined` when there is none. Never past `limit`.
 * @throws Failure CREDENTIALS_UNUSABLE
 */
export async function readBounded(path: string, limit: number): Promise<string | undefined> {
  try {
    return await readText(path, limit);
  } catch (cause) {
    if (isFailure(cause, "FILE_MISSING")) return undefined;
    if (isFailure(cause, "FILE_ENCODING"))
      throw new Failure("CREDENTIALS_UNUSABLE", { where: path, why: `not UTF-8, ${cause.facts.encoding}` }, { cause });
    if (!isFailure(cause, "FILE_UNREADABLE")) throw cause;
    const { reason } = cause.facts;
    if (reason === "ENOTDIR") return undefined;
    throw new Failure("CREDENTIALS_UNUSABLE", { where: path, why: reason }, { cause });
  }
}
