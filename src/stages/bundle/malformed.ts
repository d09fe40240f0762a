import { Failure } from "../../model/failure.ts";

/** Says of one bundle where it is not what the format asks for. */
export type Refuse = (where: string, why: string) => Failure<"BUNDLE_MALFORMED">;

export function refuser(path: string): Refuse {
  // `where` may hold a name out of a hostile header.
  return (where, why) =>
    new Failure("BUNDLE_MALFORMED", { path, where: printable(where).slice(0, 200), why: printable(why).slice(0, 300) });
}

function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, "?");
}
