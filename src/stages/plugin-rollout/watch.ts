import type { WasmPlugin } from "../../model/wasm-plugin.ts";
import { deliveryOf, type Delivery } from "./delivered.ts";
import { lookAtGateway, type GatewayState, type Watch } from "./gateway.ts";
import { namesOf, said, type PluginNames } from "./said.ts";

/** A probe may fail once; a pod that is not ready at three looks in a row is lost. */
const looks = 3;

export interface WatchOutcome {
  /** What became worse, or what did not come; `undefined` when all of them are on. */
  readonly trouble?: string | undefined;
  /** What the gateway itself says of a plugin, by the plugin's name: the others need not have a part in it. */
  readonly blamed: ReadonlyMap<string, string>;
  /** Plugins of which no pod of the gateway has anything yet. */
  readonly missing: ReadonlySet<string>;
  /** Plugins of which no change was seen in every pod that takes requests: all that is known is that nothing went wrong. */
  readonly unseen: ReadonlySet<string>;
}

export interface RolloutStep {
  readonly plugin: WasmPlugin;
  /** Whether the gateway may take nothing for it: another tag for the same bytes is the same to it. */
  readonly mayStay: boolean;
}

/**
 * Waits until every pod of the gateway has all the plugins, and then looks for `watchSeconds` what that does to them.
 * @param before the gateway just before these steps
 */
export async function watchGateway(
  steps: readonly RolloutStep[],
  before: GatewayState,
  watch: Watch,
): Promise<WatchOutcome> {
  const { clock, signal } = watch;
  const looked = looksAt(steps, before, watch);
  const patience = new Patience(steps.length, watch);
  let again = steps.length > 1;
  let state = before;
  for (;;) {
    state = await lookAtGateway(watch, state);
    const look = looked(state, patience.isLate());
    if (look.trouble === undefined) {
      if (patience.isOver(look)) return look;
    } else {
      if (!again || look.blamed.size > 0) return look;
      // Who it was may stand in the next lines of the log, which spares the others a second try.
      again = false;
    }
    await clock.sleep(watch.pollSeconds * 1000, signal);
  }
}

/** How long is waited until all of them are there, and then watched. */
class Patience {
  readonly #watch: Watch;
  #fewest: number;
  #latest: number;
  #end: number | undefined;
  #late = false;
  #losses = 0;

  constructor(plugins: number, watch: Watch) {
    this.#watch = watch;
    this.#fewest = plugins;
    this.#latest = this.#in(watch.deliverSeconds);
  }

  /** Asked before each look: what was not there in time is not there. */
  isLate(): boolean {
    const comesAndGoes = this.#losses >= looks;
    this.#late = (this.#end === undefined || comesAndGoes) && this.#watch.clock.now() >= this.#latest;
    return this.#late;
  }

  isOver({ waiting, missing, unready }: Look): boolean {
    // What was there and is gone was switched off by somebody, or a pod is new: it has to come again, for the whole watch.
    if (this.#end !== undefined && missing.size > 0) {
      this.#end = undefined;
      // A gateway that loses what it had again and again is not waited for without end.
      if ((this.#losses += 1) < looks) this.#latest = this.#in(this.#watch.deliverSeconds);
    }
    // Many take longer than one; as long as they come in, there is no hurry.
    if (waiting.size < this.#fewest) this.#latest = this.#in(this.#watch.deliverSeconds);
    this.#fewest = Math.min(this.#fewest, waiting.size);
    if (waiting.size === 0 || this.#late) this.#end ??= this.#in(this.#watch.watchSeconds);
    return this.#end !== undefined && this.#watch.clock.now() >= this.#end && !unready;
  }

  #in(seconds: number): number {
    return this.#watch.clock.now() + seconds * 1000;
  }
}

interface Look extends WatchOutcome {
  /** Plugins that some pod of the gateway has not taken. */
  readonly waiting: ReadonlySet<string>;
  /** A pod is not ready now. */
  readonly unready: boolean;
}

/** What one look after another says; some things are believed only when they are seen again. */
function looksAt(
  steps: readonly RolloutStep[],
  before: GatewayState,
  { gateway, read, deliverSeconds }: Watch,
): (now: GatewayState, late: boolean) => Look {
  const all = steps.map(({ plugin, mayStay }) => ({ ...namesOf(plugin, gateway.namespace), mayStay }));
  const amiss = new Map<string, number>();
  const unseen = new Set(all.map(({ name }) => name));
  let unready = 0;
  return (now, late) => {
    const lost = lostPods(before, now);
    unready = lost === undefined ? 0 : unready + 1;
    const has = all.map((about) => ({ ...about, delivery: deliveryOf(about.name, before.delivered, now.delivered) }));
    const { own, common } = said(before, now, { read, all });
    const blamed = new Map([...notRunning(has, amiss), ...own]);
    const waiting = has.filter(({ delivery }) => !arrived.has(delivery));
    const missing = waiting.filter(({ delivery, mayStay }) => !(delivery === "same" && mayStay));
    const undelivered = late && missing.length > 0 ? `not delivered within ${deliverSeconds} s` : undefined;
    const told = crashed(before, now) ?? failed(before, now) ?? common ?? [...blamed.values()][0];
    const trouble = told ?? (unready >= looks ? lost : undefined) ?? undelivered;
    for (const name of seenIn(now, has)) unseen.delete(name);
    return { trouble, blamed, waiting: namesIn(waiting), missing: namesIn(missing), unseen, unready: unready > 0 };
  };
}

/** Plugins that every pod which takes requests says it has taken; one that refused it says so in its log alone. */
function seenIn({ delivered, unready, unheard }: GatewayState, has: readonly Having[]): readonly string[] {
  const silent = [...delivered].some(
    ([pod, dump]) => (dump === undefined || unheard.includes(pod)) && !unready.includes(pod),
  );
  return silent ? [] : has.flatMap(({ name, delivery }) => (delivery === "changed" ? [name] : []));
}

interface Having {
  readonly name: string;
  readonly delivery: Delivery;
}

const arrived: ReadonlySet<Delivery> = new Set(["changed", "unseen"]);

/** Believed at the second look in a row. Why is in the log, which is read beside: one more look finds it. */
const amissWords: Readonly<Partial<Record<Delivery, string>>> = {
  "stand-in": "not fetched: the gateway has a stand-in for it",
  idle: "not loaded: the gateway lists it and runs nothing of it",
};

function notRunning(has: readonly Having[], seen: Map<string, number>): readonly (readonly [string, string])[] {
  return has.flatMap(({ name, delivery }) => {
    const words = amissWords[delivery];
    const times = words === undefined ? 0 : (seen.get(name) ?? 0) + 1;
    seen.set(name, times);
    return words !== undefined && times > 1 ? [[name, words] as const] : [];
  });
}

const namesIn = (all: readonly PluginNames[]): ReadonlySet<string> => new Set(all.map(({ name }) => name));

/** Fewer pods are ready than before. Alone it may be a passing probe, so the caller asks more than once. */
function lostPods(before: GatewayState, now: GatewayState): string | undefined {
  if (now.ready >= before.ready) return undefined;
  const [trouble] = now.troubles;
  return `ready ${now.ready}/${before.ready}${trouble === undefined ? "" : ` ${trouble.reason} ${trouble.message}`}`;
}

function crashed(before: GatewayState, now: GatewayState): string | undefined {
  const restarted = [...now.restarts].some(([uid, count]) => count > (before.restarts.get(uid) ?? count));
  const known = new Set(before.troubles.map(({ pod, class: of }) => `${pod} ${of}`));
  const trouble = now.troubles.find(
    ({ pod, class: of }) => (of === "crash" || of === "out-of-memory") && !known.has(`${pod} ${of}`),
  );
  if (trouble !== undefined) return `${trouble.pod}: ${trouble.reason} ${trouble.message}`.trim();
  return restarted ? "restarted" : undefined;
}

function failed(before: GatewayState, now: GatewayState): string | undefined {
  // A pod whose metrics did not answer before would bring its whole past as news.
  if (before.failures.size === 0 && now.failures.size > 0 && before.pods.join() !== now.pods.join()) return undefined;
  const grown = [...now.failures].find(([name, count]) => count > (before.failures.get(name) ?? 0));
  return grown === undefined ? undefined : `${grown[0]} ${grown[1]}`;
}
