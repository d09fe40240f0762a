import type { NoteEvent } from "../model/event.ts";
import { Failure } from "../model/failure.ts";
import { catalogueOf } from "../ui/language.ts";
import type { CommandName } from "../ui/messages/vocabulary.ts";
import type { Context } from "./context.ts";
import { truth, type Flags } from "./define.ts";

export interface Proposal {
  readonly command: CommandName;
  readonly flags: Flags;
  readonly context: Context;
}

/**
 * Shows what a command that destroys is about to do, and asks. Where nobody sits at a terminal only `--yes` is a yes.
 * @returns false for a dry run
 * @throws Failure NOT_CONFIRMED
 */
export async function agreed(plan: readonly NoteEvent[], { command, flags, context }: Proposal): Promise<boolean> {
  for (const step of plan) context.reporter.report(step);
  if (truth(flags, "dry-run")) return false;
  if (!truth(flags, "yes")) await askToGoOn(command, context);
  return true;
}

/** @throws Failure NOT_CONFIRMED for any answer but yes, and where nobody can be asked */
export async function askToGoOn(command: CommandName, { ask, language }: Context): Promise<void> {
  const typed = await ask?.(`${catalogueOf(language).words["ask-go-on"]} `);
  if (typed === undefined || !/^(y|yes|是)$/i.test(typed.trim())) throw new Failure("NOT_CONFIRMED", { command });
}
