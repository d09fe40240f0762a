import * as z from "zod";

/** So many faults of one list are enough to know it by: each is an object, and a list may have a million. */
const faultsTold = 20;

/**
 * A list of a document that nobody vouches for. zod's own looks at every element before it counts them, and keeps each
 * fault: half a million wrong ones were half a gigabyte.
 */
export function listOf<S extends z.ZodType>(element: S, most: number) {
  return z
    .array(z.unknown())
    .max(most, { abort: true })
    .transform((values, { issues }) => {
      const read: z.output<S>[] = [];
      for (const [at, value] of values.entries()) {
        const parsed = element.safeParse(value);
        if (parsed.success) read.push(parsed.data);
        else
          for (const issue of parsed.error.issues.slice(0, faultsTold))
            issues.push({ ...issue, input: value, path: [at, ...issue.path] } as z.core.$ZodRawIssue);
        if (issues.length >= faultsTold) break;
      }
      return read;
    });
}

/** What a schema says of a value, in words that have a Chinese side; `undefined` is no word for people. */
export function issueWords({ message }: { readonly message: string }): string {
  return message.replace(/^Invalid input: expected (.+), received undefined$/, "missing; expected $1");
}
