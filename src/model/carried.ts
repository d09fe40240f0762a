import type * as z from "zod";
import { parseBounded } from "../std/bounded-json.ts";
import { Failure } from "./failure.ts";
import { issueWords } from "./list-of.ts";

/** So many are told; who wrote the document is a program, and the first says which part of it. */
const told = 20;

/** What a schema says of a document that no person wrote, one mistake a line. */
export function problemLines(error: z.ZodError): string {
  const lines = error.issues.slice(0, told).map((issue) => {
    const path = issue.path.map(String).join(".");
    return path === "" ? issueWords(issue) : `${path} - ${issueWords(issue)}`;
  });
  return lines.join("\n");
}

/**
 * Reads JSON that a program of ours wrote and somebody carried: a request, an inventory, a receipt.
 * @throws Failure CONFIG_INVALID
 */
export function parseCarried<S extends z.ZodType>(text: string, file: string, schema: S): z.output<S> {
  let json: unknown;
  try {
    json = parseBounded(text);
  } catch (cause) {
    throw new Failure("CONFIG_INVALID", { file, problems: "JSON" }, { cause });
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new Failure("CONFIG_INVALID", { file, problems: problemLines(parsed.error) });
}
