import type { Event, Phase } from "../model/event.ts";

/** What is known of the running transfer: one small state that all renderers share. */
export interface Progress {
  readonly phase: Phase;
  readonly total: number;
  readonly items: number;
  moved: number;
  itemsDone: number;
  /** Name and fraction of what is moving now. */
  readonly active: Map<string, { bytes: number; size: number }>;
  readonly startedAt: number;
}

export function startProgress(event: Extract<Event, { type: "transfer" }>, now: number): Progress {
  return {
    phase: event.phase,
    total: event.bytes,
    items: event.items,
    moved: 0,
    itemsDone: 0,
    active: new Map(),
    startedAt: now,
  };
}

export function advance(progress: Progress, event: Event): void {
  if (event.type === "moved") {
    progress.moved += event.bytes;
    const entry = progress.active.get(event.name) ?? { bytes: 0, size: event.size };
    entry.bytes += event.bytes;
    progress.active.set(event.name, entry);
  } else if (event.type === "item") {
    progress.itemsDone += 1;
    if (event.state !== "done") progress.moved += event.bytes;
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
  return { rate, secondsLeft: Math.max(0, (progress.total - progress.moved) / rate) };
}

export function printSeconds(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole}s`;
  const minutes = Math.floor(whole / 60);
  return minutes < 60
    ? `${minutes}m${String(whole % 60).padStart(2, "0")}s`
    : `${Math.floor(minutes / 60)}h${String(minutes % 60).padStart(2, "0")}m`;
}
