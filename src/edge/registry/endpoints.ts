import { isFailure } from "../../model/failure.ts";

/**
 * The ways to one registry, in the order in which they are tried. One that could not be reached goes to the end for
 * the rest of the run, so that a dead mirror costs its time-out once.
 */
export class Endpoints<T> {
  readonly #all: readonly [T, ...T[]];
  readonly #down: Set<number>;

  /** `down` is shared by all repositories of a registry: it holds positions. */
  constructor(all: readonly [T, ...T[]], down: Set<number> = new Set()) {
    this.#all = all;
    this.#down = down;
  }

  get primary(): T {
    return this.#all[0];
  }

  inOrder(): readonly [T, ...T[]] {
    const isDown = (index: number): boolean => this.#down.has(index);
    const up = this.#all.filter((_, index) => !isDown(index));
    const [first = this.#all[0], ...others] = [...up, ...this.#all.filter((_, index) => isDown(index))];
    return [first, ...others];
  }

  /** True when `error` is a reason to ask the next one; remembers one that cannot be reached. */
  passOver(item: T, error: unknown): boolean {
    if (isFailure(error, "REGISTRY_UNREACHABLE", "REGISTRY_STALLED", "REGISTRY_BUSY")) {
      this.#down.add(this.#all.indexOf(item));
      return true;
    }
    // A mirror that does not have it says 404, 401 or 403, as it was built; one whose storage is broken sends us astray.
    return isFailure(
      error,
      "REGISTRY_NOT_FOUND",
      "REGISTRY_UNAUTHORIZED",
      "REGISTRY_LOGIN_WRONG",
      "REGISTRY_TOKEN_REFUSED",
      "REGISTRY_DENIED",
      "REGISTRY_PROTOCOL",
    );
  }

  /** The first answer that is `good`; the last answer or failure when none is. */
  async firstThat<R>(ask: (item: T) => Promise<R>, good: (answer: R) => boolean = () => true): Promise<R> {
    const order = this.inOrder();
    for (const [index, item] of order.entries()) {
      const last = index === order.length - 1;
      try {
        const answer = await ask(item);
        if (last || good(answer)) return answer;
      } catch (error) {
        if (last || !this.passOver(item, error)) throw error;
      }
    }
    throw new RangeError("no endpoint was asked");
  }
}
