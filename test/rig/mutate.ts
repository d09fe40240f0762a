/** Numbers from a seed (mulberry32): a run that failed is repeated by its seed. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

export type Random = () => number;

export function pick<T>(random: Random, all: readonly T[]): T {
  return all[Math.floor(random() * all.length)] as T;
}

const nested = (depth: number): string => `${"[".repeat(depth)}${"]".repeat(depth)}`;

/** What people who mean harm write where a name, a number or a list is expected. */
const hostile: readonly string[] = [
  ...[
    "../../x",
    "/etc/passwd",
    "--post-renderer=/bin/sh",
    "-n",
    "",
    ".",
    "..",
    "a/../b",
    "a\u0000b",
    "a\nb",
    "\u202ex",
  ],
  ...["\u2028", "\ufeffa", "\ud800", "__proto__", "constructor", "${HOME}", "$(id)", "%2e%2e", "a".repeat(70_000)],
  ...["::1:5000", "host:99999", "http://u:p@h/", "sha256:x", "A B", "\u00e4", "x.".repeat(20_000)],
].map((text) => JSON.stringify(text));
const shapes: readonly string[] = [
  ...["null", "true", "-1", "0", "1e308", "9007199254740993", "1.5", "[]", "{}", '{"__proto__":{"a":1}}'],
  ...[nested(100), nested(9000), `[${"0,".repeat(50_000)}0]`, `{${'"a":1,'.repeat(50)}"b":2}`],
];

interface Place {
  readonly holder: Record<string, unknown> | unknown[];
  readonly key: string;
}

function placesOf(value: unknown, found: Place[] = []): readonly Place[] {
  if (typeof value !== "object" || value === null) return found;
  for (const [key, inner] of Object.entries(value)) {
    found.push({ holder: value as Place["holder"], key });
    placesOf(inner, found);
  }
  return found;
}

const token = "@@here@@";

/** A JSON text with one thing in it changed. It may be no JSON any more, and it may mean the same. */
export function mutateJson(text: string, random: Random): string {
  if (random() < 0.15) return mutateText(text, random);
  const document = JSON.parse(text) as unknown;
  const places = placesOf(document);
  if (places.length === 0) return pick(random, shapes);
  const { holder, key } = pick(random, places);
  const target = holder as Record<string, unknown>;
  const change = Math.floor(random() * 6);
  let put: string | undefined;
  if (change === 0) Reflect.deleteProperty(target, key);
  else if (change === 1) target[pick(random, ["__proto__x", "name2", "..", "-x", key.toUpperCase()])] = target[key];
  else if (change === 2) {
    const other = pick(random, places);
    target[key] = structuredClone((other.holder as Record<string, unknown>)[other.key]);
  } else {
    put = pick(random, change === 3 ? shapes : hostile);
    target[key] = token;
  }
  const changed = JSON.stringify(Array.isArray(document) ? document : { ...(document as object) }, undefined, 2);
  return put === undefined ? changed : changed.replace(JSON.stringify(token), () => put);
}

/** Any text with a stretch of it flipped, cut, doubled, or replaced. */
export function mutateText(text: string, random: Random): string {
  const at = Math.floor(random() * text.length);
  const end = Math.min(text.length, at + 1 + Math.floor(random() * 12));
  const [before, middle, after] = [text.slice(0, at), text.slice(at, end), text.slice(end)];
  switch (Math.floor(random() * 5)) {
    case 0:
      return before + after;
    case 1:
      return before + middle + middle + after;
    case 2:
      return before;
    case 3:
      return before + (JSON.parse(pick(random, hostile)) as string) + after;
    default:
      return (
        before +
        String.fromCharCode((text.charCodeAt(at) ^ (1 << Math.floor(random() * 7))) & 0x7f) +
        text.slice(at + 1)
      );
  }
}
