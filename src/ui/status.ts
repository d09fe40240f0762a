import type { ServiceAddress } from "../model/service-address.ts";
import type { HistoryEntry, Newer, PluginStatus, ReleaseStatus, Status, Unread } from "../model/status.ts";
import { fill } from "./fill.ts";
import { catalogueOf, type Language, type Shown } from "./language.ts";
import { statusWords, type StatusWords } from "./messages/status-words.ts";
import { leftOut, shortened, table, visible } from "./width.ts";

const lines = (texts: readonly string[]): string => texts.map((text) => `${visible(text)}\n`).join("");

export function siteLine(
  facts: { readonly release: string; readonly namespace: string; readonly prefix: string },
  language: Language,
): string {
  return lines([fill(statusWords[language].site, facts)]);
}

export function releaseLines(releases: readonly ReleaseStatus[], language: Language): string {
  const say = statusWords[language];
  return lines(
    releases.flatMap(({ release, namespace, installer, takenOver, ...known }) => {
      const { chart = "", version = "", revision = 0, state = "" } = known;
      const facts = { release, namespace, chart, version, revision, state };
      return [
        fill(
          known.chart !== undefined ? say.release : known.unread === true ? say.unreadRelease : say.noRelease,
          facts,
        ),
        fill(say.installer[installer.by], {
          ...{ tool: "", number: 0, bundle: "", managedBy: "", ...installer },
          at: "at" in installer ? `${minuteOf(installer.at)} UTC` : "",
        }),
        ...(takenOver === undefined ? [] : [fill(say.takenOver, { takenOver })]),
      ];
    }),
  );
}

export function addressLines({ gateway, console }: Pick<Status, "gateway" | "console">, language: Language): string {
  const say = statusWords[language];
  const of = (what: string, services: readonly ServiceAddress[]): readonly string[] =>
    services.length === 0
      ? [fill(say.nowhere, { what })]
      : services.map(({ at, type, service }) => fill(say.address, { what, at: at.join(" "), type, service }));
  return lines([...of(say.gateway, gateway), ...of(say.console, console)]);
}

export function pluginLines(plugins: readonly PluginStatus[], { language, columns }: Shown): string {
  const say = statusWords[language];
  if (plugins.length === 0) return lines([say.noPlugins]);
  const { words } = catalogueOf(language);
  const rows = plugins.map((plugin) => [
    plugin.name,
    plugin.version ?? say.absent,
    ...liveCells(plugin, say),
    shortDigest(plugin.digest) ?? say.absent,
    plugin.url,
  ]);
  const rare = [leftOut(say.phase), leftOut(say.priority), leftOut(words.digest)];
  const header = [say.plugins, words.version, say.state, say.inGateway, ...rare, shortened("URL")];
  return table(header, rows, columns);
}

export function receiptLines(
  { receipts, lastCheck }: Pick<Status, "receipts" | "lastCheck">,
  { language, columns }: Shown,
): string {
  const say = statusWords[language];
  const { folder, all, beside } = receipts;
  const { words } = catalogueOf(language);
  const rows = all.map((each) => [
    `  ${each.number}`,
    each.bundle,
    say.states[each.state],
    minuteOf(each.started),
    each.tool,
  ]);
  const header = [`  ${say.install}`, shortened(words.bundle), say.state, say.started, leftOut(words.tool)];
  return [
    lines([fill(all.length === 0 ? say.noReceipts : say.receipts, { folder })]),
    all.length === 0 ? "" : table(header, rows, columns),
    lines([
      ...(beside === undefined ? [] : [fill(say.beside, beside)]),
      lastCheck === undefined
        ? say.neverChecked
        : fill(say.lastCheck, {
            ...lastCheck,
            at: `${minuteOf(lastCheck.at)} UTC`,
            state: say.states[lastCheck.state],
          }),
    ]),
  ].join("");
}

export function newerLines(newer: readonly Newer[], language: Language): string {
  const say = statusWords[language];
  return lines(
    newer.length === 0
      ? [say.nothingNewer]
      : newer.map((each) => fill(say.newer, { ...each, kind: say.kinds[each.kind] })),
  );
}

export function unreadLines(unread: readonly Unread[], language: Language): string {
  const say = statusWords[language];
  return lines(unread.map(({ what, why }) => fill(say.unread, { what: say.unreadNames[what], why: why.trim() })));
}

export function historyTable(entries: readonly HistoryEntry[], { language, columns }: Shown): string {
  const say = statusWords[language];
  const { words } = catalogueOf(language);
  const several = new Set(entries.map(({ release }) => release)).size > 1;
  const rows = entries.map(({ release, revision, at, state, chart, install, ...entry }) => [
    ...(several ? [release] : []),
    String(install?.number ?? say.absent),
    String(revision ?? say.absent),
    minuteOf(at),
    chart === "" ? ownState(state, say) : state,
    chart === "" ? say.absent : chart,
    install?.bundle ?? say.absent,
    wayBack({ install, ...entry }, say),
  ]);
  const names = [shortened(say.chart), leftOut(words.bundle)];
  const header = [say.install, say.revision, say.started, say.state, ...names, say.back];
  return table(several ? [words.name, ...header] : header, rows, columns);
}

function wayBack(
  { current, reachable, install }: Pick<HistoryEntry, "current" | "reachable" | "install">,
  say: StatusWords,
) {
  if (current) return say.current;
  return reachable ? `rollback --to ${install?.number ?? "owner"}` : say.absent;
}

/** Of an install that helm knows nothing of, the receipt says it, and in our words. */
function ownState(state: string, { states }: StatusWords): string {
  return Object.hasOwn(states, state) ? states[state as keyof typeof states] : state;
}

/** helm writes nanoseconds in the zone of its host, receipts milliseconds in UTC: one clock, as far as people read it. */
function minuteOf(at: string): string {
  const time = Date.parse(at);
  return Number.isNaN(time) ? at : new Date(time).toISOString().slice(0, 16).replace("T", " ");
}

/** Plugins of the cluster beside those of a bundle. */
export interface PluginBeside {
  readonly name: string;
  readonly carried?: string | undefined;
  readonly live?: PluginStatus | undefined;
}

export function pluginsBeside(plugins: readonly PluginBeside[], { language, columns }: Shown): string {
  const say = statusWords[language];
  const { words } = catalogueOf(language);
  const none = [say.absent, say.absent, say.absent, say.absent, say.absent, say.absent];
  const rows = plugins.map(({ name, carried = say.absent, live }) => [
    name,
    carried,
    ...(live === undefined ? none : [live.version ?? live.object, ...liveCells(live, say), live.url]),
  ]);
  const rare = [leftOut(say.phase), leftOut(say.priority)];
  const header = [words.name, say.inBundle, say.live, say.state, say.inGateway, ...rare, shortened("URL")];
  return table(header, rows, columns);
}

function liveCells({ on, gateway, phase, priority }: PluginStatus, say: StatusWords): readonly string[] {
  return [on ? say.on : say.off, say.gatewayHas[gateway], phase ?? say.absent, String(priority ?? say.absent)];
}

/** Enough of a digest to tell two apart on one line; JSON has it whole. */
function shortDigest(digest: string | undefined): string | undefined {
  return digest?.slice(0, "sha256:".length + 12);
}
