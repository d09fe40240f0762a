import type { Event, Phase } from "../model/event.ts";

/** What is known of the running transfer: one small state that all renderers share. */
export interface Progress {
  readonly phase: Phase;
  readonly total: number;
  readonly items: number;
  /** Never more than `total`: a download that starts over moves its bytes twice, and they count once. */
  moved: number;
  itemsDone: number;
  /** What is moving now, by name; `bytes` never exceeds `size`. */
  readonly active: Map<string, { bytes: number; size: number }>;
  readonly startedAt: number;
}

/** The phase that runs, and what is under way in it where no bytes are counted. */
export interface Activity {
  readonly phase: Phase;
  readonly since: number;
  readonly step?: { readonly name: string; readonly done: number; readonly items: number } | undefined;
}

export function startProgress(event: Extract<Event, { type: "transfer" }>, now: number): Progress {
  const { phase, bytes, items } = event;
  return { phase, total: bytes, items, moved: 0, itemsDone: 0, active: new Map(), startedAt: now };
}

export function advance(progress: Progress, event: Event): void {
  if (event.type === "moved") {
    const entry = progress.active.get(event.name) ?? { bytes: 0, size: event.size };
    const bytes = Math.min(entry.size, entry.bytes + event.bytes);
    progress.moved = Math.min(progress.total, progress.moved + bytes - entry.bytes);
    progress.active.set(event.name, { bytes, size: entry.size });
  } else if (event.type === "item") {
    // What was there already is not in the total: only bytes that move are.
    progress.itemsDone = Math.min(progress.items, progress.itemsDone + 1);
    progress.active.delete(event.name);
  }
}

/** Bytes a second over the whole transfer, and the seconds that are left at that rate; `undefined` before one second. */
export function pace(
  progress: Progress,
  now: number,
): { readonly rate: number; readonly secondsLeft: number } | undefined {
  const seconds = (now - progress.startedAt) / 1000;
  if (seconds < 1 || progress.moved === 0) return undefined;
  const rate = progress.moved / seconds;
  return { rate, secondsLeft: (progress.total - progress.moved) / rate };
}

export function printSeconds(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole}s`;
  const minutes = Math.floor(whole / 60);
  return minutes < 60
    ? `${minutes}m${String(whole % 60).padStart(2, "0")}s`
    : `${Math.floor(minutes / 60)}h${String(minutes % 60).padStart(2, "0")}m`;
}
