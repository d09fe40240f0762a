import type { Site } from "../../model/site.ts";
import type { Status, StatusQuestion } from "../../model/status.ts";
import { newerIn } from "../../pipeline/history.ts";
import type { StatusReader } from "../../pipeline/status.ts";
import {
  addressLines,
  newerLines,
  pluginLines,
  receiptLines,
  releaseLines,
  siteLine,
  unreadLines,
} from "../../ui/status.ts";
import { jsonText } from "../../ui/width.ts";
import type { Context } from "../context.ts";
import { truth, type Flags } from "../define.ts";
import { ExitCode } from "../exit-code.ts";
import { openLook, statusReader, type LookedAt } from "../wire/status.ts";
import { openTools } from "../wire/tools.ts";

/** What stands there, section by section as it is known; nothing is changed. */
export default async function run(flags: Flags, context: Context): Promise<ExitCode> {
  const json = truth(flags, "json");
  const write = (text: string): void => {
    if (!json) context.stdout.write(text);
  };
  await using look = await openLook(flags, context);
  const { language, columns } = context;
  const { namespace, release } = look.site.cluster;
  const prefix = prefixOf(look.site);
  write(siteLine({ release, namespace, prefix }, language));
  await using tools = await openTools(flags, look.site, context);
  const reader = statusReader(look, tools, context);
  const status = {
    namespace,
    prefix,
    ...(await read(reader, look, { write, language, columns })),
    unread: reader.unread,
  };
  write(unreadLines(reader.unread, language));
  if (json) context.stdout.write(jsonText(status));
  return ExitCode.done;
}

interface Shown extends Pick<Context, "language" | "columns"> {
  readonly write: (text: string) => void;
}

async function read(
  reader: StatusReader,
  { plan }: LookedAt,
  { write, language, columns }: Shown,
): Promise<Omit<Status, "namespace" | "prefix" | "unread">> {
  const releases = await reader.releases();
  write(releaseLines(releases, language));
  const addresses = await reader.addresses();
  // Nothing is said to be absent that could not be looked at; that follows at the end.
  const isUnread = (...questions: readonly StatusQuestion[]): boolean =>
    reader.unread.some(({ what }) => questions.includes(what));
  if (!isUnread("services", "workloads")) write(addressLines(addresses, language));
  const plugins = await reader.plugins();
  if (!isUnread("plugins")) write(pluginLines(plugins, { language, columns }));
  const receipts = await reader.receipts();
  if (!isUnread("receipts")) write(receiptLines(receipts, { language, columns }));
  if (plan === undefined) return { releases, ...addresses, plugins, ...receipts };
  const newer = newerIn(plan, releases, plugins);
  if (newer.length > 0 || !isUnread("releases", "plugins")) write(newerLines(newer, language));
  return { releases, ...addresses, plugins, ...receipts, newer };
}

function prefixOf({ registry: { host, project } }: Site): string {
  return `${host}/${project}`;
}
