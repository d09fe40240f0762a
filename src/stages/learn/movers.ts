import { mergeValues, nest, type Values } from "../../model/values.ts";
import type { MarkedValue } from "./candidates.ts";
import { referenceParts, textsOf, wordAt, type Slot, type Slots } from "./slots.ts";
import type { Trials } from "./trials.ts";

/** One value that moves one reference, and the path that must stand behind the host so that it ends in its own. */
export interface Mover {
  readonly candidate: MarkedValue;
  readonly behind: string;
}

/** A chosen value and what it moves. */
export interface Choice extends Mover {
  readonly slots: readonly string[];
}

/** Helm's templates ask one value after the other (`a | default b | default c`); nobody nests deeper. */
const maxChain = 8;

/**
 * Which values move which slot: all markers at once, then again without those that showed, so that the values which
 * they stand in front of show too. A value that is set ends the chain: what is asked after it moves nothing alone.
 */
export async function moversOf(
  candidates: readonly MarkedValue[],
  slots: Slots,
  state: Values,
  trials: Trials,
): Promise<ReadonlyMap<string, readonly Mover[]>> {
  const chains = new Map<string, Mover[]>();
  const open = new Set(slots.keys());
  let active = await trials.accepted(candidates, (some) => mergeValues(state, marked(some)));
  for (let depth = 0; depth < maxChain && active.length > 0 && open.size > 0; depth += 1) {
    const manifest = await trials.render(state, marked(active));
    if (manifest === undefined) break;
    const texts = textsOf(manifest);
    const shown = new Set<MarkedValue>();
    for (const key of [...open]) {
      const slot = slots.get(key);
      const mover = slot && moverOf(slot, wordAt(texts, slot), active);
      if (mover === undefined) open.delete(key);
      else {
        shown.add(mover.candidate);
        const chain = chains.get(key) ?? [];
        if (!chain.some(({ candidate }) => candidate === mover.candidate)) chains.set(key, [...chain, mover]);
        if (!mover.candidate.unset) open.delete(key);
      }
    }
    active = withoutFronts(active, shown);
  }
  return chains;
}

/**
 * Takes away what others may stand behind. A set value ends its chain and stays; a global one that shows somewhere may be
 * asked second somewhere else, so it goes only when nothing more particular is left to go.
 */
function withoutFronts(active: readonly MarkedValue[], shown: ReadonlySet<MarkedValue>): readonly MarkedValue[] {
  const fronts = active.filter((candidate) => candidate.unset && shown.has(candidate));
  const particular = fronts.filter(({ path }) => path[0] !== "global");
  const gone = particular.length > 0 ? particular : fronts;
  return gone.length === 0 ? [] : active.filter((candidate) => !gone.includes(candidate));
}

function marked(candidates: readonly MarkedValue[]): Values {
  return mergeValues(...candidates.map((candidate) => nest(candidate.path, candidate.with(candidate.marker))));
}

function moverOf(slot: Slot, word: string | undefined, active: readonly MarkedValue[]): Mover | undefined {
  const seen = word?.replace(/^[a-z][a-z0-9+.-]*:\/\//i, "");
  const host = seen === undefined ? undefined : /^m\d+\.learn\.invalid(?=[/:@]|$)/.exec(seen)?.[0];
  const candidate = active.find(({ marker }) => marker === host);
  if (candidate === undefined || seen === undefined || host === undefined) return undefined;
  // Another value's marker in the path (`registry: m1`, `repository: m2/redis`) is not there when it is not set.
  const came = pathBehind(seen.slice(host.length)).replaceAll(/(^|\/)m\d+\.learn\.invalid\//g, "$1");
  const { path } = referenceParts(slot);
  if (came === path) return { candidate, behind: "" };
  if (came === "") return { candidate, behind: path };
  return path.endsWith(`/${came}`) ? { candidate, behind: path.slice(0, -came.length - 1) } : undefined;
}

function pathBehind(text: string): string {
  return text
    .replace(/@sha256:[0-9a-f]+$/, "")
    .replace(/:[\w.${}-]*$/, "")
    .replace(/^\//, "")
    .replace(/\/+$/, "");
}

/** The fewest values that move everything that can be moved; of two that move as much, the more general one. */
export function chosen(chains: ReadonlyMap<string, readonly Mover[]>): readonly Choice[] {
  const open = new Set(chains.keys());
  const choices: Choice[] = [];
  const taken = new Set<MarkedValue>();
  while (open.size > 0) {
    const [best] = offers(chains, open)
      .filter(({ candidate }) => !taken.has(candidate))
      .sort((a, b) => b.slots.length - a.slots.length || generality(a.candidate) - generality(b.candidate));
    if (best === undefined) break;
    taken.add(best.candidate);
    choices.push(best);
    for (const slot of best.slots) open.delete(slot);
  }
  return choices;
}

function offers(chains: ReadonlyMap<string, readonly Mover[]>, open: ReadonlySet<string>): Choice[] {
  const found = new Map<string, { candidate: MarkedValue; behind: string; slots: string[] }>();
  for (const [slot, movers] of chains)
    for (const { candidate, behind } of open.has(slot) ? movers : []) {
      const key = `${candidate.marker} ${behind}`;
      const offer = found.get(key) ?? { candidate, behind, slots: [] };
      offer.slots.push(slot);
      found.set(key, offer);
    }
  return [...found.values()];
}

function generality({ path }: MarkedValue): number {
  return path.length - (path[0] === "global" ? 10 : 0);
}
