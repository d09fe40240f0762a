import { fill } from "../../ui/fill.ts";
import { statusWords } from "../../ui/messages/status-words.ts";
import { historyTable, unreadLines } from "../../ui/status.ts";
import { jsonText } from "../../ui/width.ts";
import type { Context } from "../context.ts";
import { truth, type Flags } from "../define.ts";
import { ExitCode } from "../exit-code.ts";
import { openLook, statusReader } from "../wire/status.ts";
import { openTools } from "../wire/tools.ts";

/** Helm's revisions beside the installs that made them: which of them `rollback --to` goes back to. */
export default async function run(flags: Flags, context: Context): Promise<ExitCode> {
  await using look = await openLook(flags, context);
  await using tools = await openTools(flags, look.site, context);
  const { language } = context;
  const reader = statusReader(look, tools, context);
  const entries = await reader.history();
  const { unread } = reader;
  if (truth(flags, "json")) {
    context.stdout.write(jsonText({ history: entries, unread }));
    return ExitCode.done;
  }
  const none = entries.length === 0 && unread.length === 0;
  const { release, namespace } = look.site.cluster;
  context.stdout.write(
    none ? `${fill(statusWords[language].noHistory, { release, namespace })}\n` : historyTable(entries, context),
  );
  context.stdout.write(unreadLines(unread, language));
  return ExitCode.done;
}
