import { sanitize } from "../../model/sanitize.ts";

/** Tokens come and go; the newest are the ones that a reply can repeat. */
const remembered = 64;

/** Takes this endpoint's own secrets out of what a registry says, whatever shape they have there. */
export class Redactor {
  readonly #secrets: string[] = [];

  add(secret: string): void {
    // A secret of two letters would redact every sentence, and protects nothing.
    if (secret.length < 4 || this.#secrets.includes(secret)) return;
    this.#secrets.push(secret);
    if (this.#secrets.length > remembered) this.#secrets.splice(4, 1);
  }

  readonly clean = (text: string, limit?: number): string => {
    const without = this.#secrets.reduce(
      (rest, secret) => rest.replaceAll(secret, "***").replaceAll(encodeURIComponent(secret), "***"),
      text,
    );
    return sanitize(without, limit);
  };
}
