import { randomBytes } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

/** Secrets that a test puts into one place each, to look for them in all others. */
export class Planted {
  readonly #forms = new Map<string, readonly string[]>();

  /** A secret of its own for this `name`. */
  plant(name: string): string {
    const secret = `planted-${name}-${randomBytes(12).toString("hex")}`;
    this.add(name, secret);
    return secret;
  }

  /** One that somebody else made. */
  add(name: string, secret: string): void {
    this.#forms.set(name, [secret, ...insideBase64(secret)]);
  }

  /** Names of the secrets that are in it, as they are or in base64, whatever stands before them there. */
  in(text: string | Buffer): readonly string[] {
    return [...this.#forms].filter(([, forms]) => forms.some((form) => text.includes(form))).map(([name]) => name);
  }
}

/** Three characters are four in base64, so what stands before shifts the rest in three ways; the edges are cut off. */
function insideBase64(secret: string): readonly string[] {
  return [0, 1, 2].map((before) => {
    const text = Buffer.from(`${"x".repeat(before)}${secret}`)
      .toString("base64")
      .replace(/=+$/, "");
    return text.slice(before === 0 ? 0 : 4, -4);
  });
}

/** Every file below `folder`, with the secrets that are in it. */
export async function filesWith(
  planted: Planted,
  folder: string,
): Promise<Readonly<Record<string, readonly string[]>>> {
  const found: Record<string, readonly string[]> = {};
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const names = planted.in(await readFile(path));
    if (names.length > 0) found[path.slice(folder.length + 1)] = names;
  }
  return found;
}

/** Looks at the process list over and over, as anybody on the host can. */
export function watchProcessList(planted: Planted): {
  stop(): Promise<{ readonly seen: number; readonly leaks: string[] }>;
} {
  const stopping = new AbortController();
  const seen = new Set<string>();
  const leaks = new Set<string>();
  const watching = (async () => {
    while (!stopping.signal.aborted) {
      for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
        const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
        if (command === "" || seen.has(command)) continue;
        seen.add(command);
        for (const name of planted.in(command)) leaks.add(`${name}: ${command.slice(0, 80)}`);
      }
      await delay(10);
    }
  })();
  return {
    async stop() {
      stopping.abort();
      await watching;
      return { seen: seen.size, leaks: [...leaks] };
    },
  };
}
