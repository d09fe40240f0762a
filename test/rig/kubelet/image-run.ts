import type { Pod } from "kubernetes-types/core/v1.js";

import type { KubeApi } from "./api.ts";
import type { Behaviour } from "./behaviour.ts";
import type { ImageState } from "./container.ts";
import type { PodEvent } from "./events.ts";
import { pull } from "./pull.ts";
import { imageName } from "./reference.ts";
import { PullError, type Registries } from "./registry.ts";
import { keyringFor } from "./secrets.ts";

export interface ImageRunOptions {
  readonly api: KubeApi;
  readonly registries: Registries;
  readonly architecture: string;
  /** Milliseconds from the first failed attempt to the second; doubles up to eight times as long. */
  readonly pullBackoff: number;
  readonly pulled: (pulled: { readonly image: string; readonly digest: string }) => void;
  readonly signal: AbortSignal;
}

/** The image of one container: pulled once, or tried again and again. */
export class ImageRun {
  readonly #image: string;
  readonly #options: ImageRunOptions;
  #state: ImageState = { kind: "waiting" };
  #misfit: Behaviour | undefined;
  #next: number | undefined = 0;
  #attempts = 0;
  #retry = 0;

  constructor(image: string, options: ImageRunOptions) {
    this.#image = image;
    this.#options = options;
  }

  get state(): ImageState {
    return this.#state;
  }

  /** What the container does, whatever the test says, when the image is of another machine. */
  get misfit(): Behaviour | undefined {
    return this.#misfit;
  }

  /** When advance() has something to do, in milliseconds as of Date.now(). */
  get nextAttempt(): number | undefined {
    return this.#next;
  }

  /** Lets the next advance() try again at once. */
  hurry(): void {
    if (this.#state.kind !== "failed") return;
    this.#state = { ...this.#state, backingOff: true };
    this.#next = 0;
  }

  async advance(pod: Pod): Promise<readonly PodEvent[]> {
    if (this.#next === undefined || Date.now() < this.#next) return [];
    if (this.#state.kind === "failed" && !this.#state.backingOff) {
      this.#state = { ...this.#state, backingOff: true };
      this.#next = this.#retry;
      return [{ type: "Normal", reason: "BackOff", message: `Back-off pulling image "${this.#image}"` }];
    }
    return await this.#pull(pod);
  }

  async #pull(pod: Pod): Promise<readonly PodEvent[]> {
    const { api, registries, architecture, pulled, signal } = this.#options;
    const name = imageName(this.#image);
    const { credentials, missing } = await keyringFor(api, pod, name);
    const without = missing.length === 0 ? [] : [missingSecrets(missing)];
    const pause = this.#options.pullBackoff * 2 ** Math.min(this.#attempts++, 3);
    try {
      const got = await pull({ image: this.#image, name, credentials, registries, architecture, signal });
      this.#state = { kind: "present", imageID: `${name.name}@${got.digest}` };
      this.#misfit = got.architecture === undefined || got.architecture === architecture ? undefined : wrongMachine;
      this.#next = undefined;
      pulled({ image: this.#image, digest: got.digest });
      return [...without, { type: "Normal", reason: "Pulled", message: `Successfully pulled image "${this.#image}"` }];
    } catch (error) {
      if (!(error instanceof PullError)) throw error;
      this.#state = { kind: "failed", cause: error.message, backingOff: false };
      this.#next = Date.now() + pause / 2;
      this.#retry = Date.now() + pause;
      const message = `Failed to pull image "${this.#image}": ${error.message}`;
      return [...without, { type: "Warning", reason: "Failed", message }];
    }
  }
}

/** containerd checks the platform of an index only; a plain manifest for another machine is pulled and cannot start. */
const wrongMachine: Behaviour = { kind: "crashes", exitCode: 255, logs: ["exec /entrypoint: exec format error"] };

function missingSecrets(names: readonly string[]): PodEvent {
  const message = `Unable to retrieve some image pull secrets (${names.join(", ")}); attempting to pull the image may not succeed.`;
  return { type: "Warning", reason: "FailedToRetrieveImagePullSecret", message };
}
