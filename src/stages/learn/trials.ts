import { mergeValues, type Values } from "../../model/values.ts";

/**
 * Renders the chart with these values over its own and the user's, under this name where one is said; `undefined` when it
 * does not render so.
 */
export type Render = (values: Values, release?: string) => Promise<string | undefined>;

/** Renders as often as there are questions: every trial is counted, and none is made twice. */
export class Trials {
  readonly #render: Render;
  readonly #seen = new Map<string, string | undefined>();

  constructor(render: Render) {
    this.#render = render;
  }

  get count(): number {
    return this.#seen.size;
  }

  render(...layers: readonly Values[]): Promise<string | undefined> {
    return this.#once(mergeValues(...layers));
  }

  renderAs(release: string, values: Values): Promise<string | undefined> {
    return this.#once(values, release);
  }

  async #once(values: Values, release?: string): Promise<string | undefined> {
    const key = `${release ?? ""} ${JSON.stringify(values)}`;
    if (!this.#seen.has(key)) this.#seen.set(key, await this.#render(values, release));
    return this.#seen.get(key);
  }

  /**
   * As many of the items as render together, found by halves: one render when all do, and some `log2(n)` for each that
   * does not. Earlier ones win over later ones that do not go with them.
   */
  async accepted<T>(items: readonly T[], valuesOf: (items: readonly T[]) => Values): Promise<readonly T[]> {
    const taken: T[] = [];
    const take = async (group: readonly T[]): Promise<void> => {
      if (group.length === 0) return;
      if ((await this.render(valuesOf([...taken, ...group]))) !== undefined) {
        taken.push(...group);
        return;
      }
      if (group.length === 1) return;
      const half = group.length >> 1;
      await take(group.slice(0, half));
      await take(group.slice(half));
    };
    await take(items);
    return taken;
  }
}
