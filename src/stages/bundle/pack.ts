import { createHash } from "node:crypto";
import type { RandomAccess } from "../../content/store.ts";
import type { StartHash } from "../../content/stream-hash.ts";
import { Entry, type BundleDocument } from "../../model/bundle.ts";
import { silent, type Report } from "../../model/event.ts";
import type { Segment } from "./layout.ts";
import { planBundle, type BundlePlan, type PackInput } from "./plan.ts";
import type { BundleOutput, OpenOutput } from "./ports.ts";
import { ItemProgress } from "./progress.ts";
import { InOrder, survivedOf, transfer } from "./transfer.ts";

interface PackOptions {
  /** How many blobs move at once. @default 8: a LAN is full at 4, latency wants more */
  readonly concurrency?: number | undefined;
  /** How many of them may come from one host. @default concurrency */
  readonly perHost?: number | undefined;
  /** @default on this thread */
  readonly startHash?: StartHash | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly report?: Report | undefined;
}

export interface PackResult {
  readonly size: number;
  /** `false`: an earlier run had ended, and all of it was there. */
  readonly isWritten: boolean;
  /** Bytes that an interrupted run had fetched, and this one did not. */
  readonly bytesResumed: number;
  readonly document: BundleDocument;
  /** sha256 of bundle.json. */
  readonly bundle: string;
}

/** In memory per blob: two batches while the disk writes, or 4 MiB while a blob waits for its turn in file order. */
const outstanding = { anyOrder: 2, inOrder: 8 } as const;

/**
 * Builds the bundle in a single pass: each byte is fetched, hashed and written to its final place once. On failure or
 * abort the output keeps what is verified, and the same call goes on from there.
 * @throws Failure CONTENT_MISMATCH for bytes that are not what the lock says; DISK_FULL, FILE_* of the output
 */
export async function pack(input: PackInput, output: BundleOutput, options: PackOptions = {}): Promise<PackResult> {
  const plan = planBundle(input);
  const { size, document, bundle } = plan;
  if (await isFinished(plan, input, output, options.signal))
    return { size, document, bundle, isWritten: false, bytesResumed: 0 };
  const out = await output.create(plan.size, plan.id);
  try {
    const moved = await write(plan, out, options);
    await out.commit({ bundle });
    return { size, document, bundle, isWritten: true, ...moved };
  } catch (error) {
    await out.abandon();
    throw error;
  }
}

async function write(plan: BundlePlan, out: OpenOutput, options: PackOptions) {
  const { concurrency = 8, perHost = concurrency, startHash, signal, report = silent } = options;
  const streams = plan.segments.filter((segment) => segment.kind === "stream");
  const left = streams.filter(({ entry }) => !out.survived.complete.has(entry.name));
  const bytesResumed = total(streams, (segment) => survivedOf(segment, out));
  const progress = new ItemProgress(streams, report);
  if (bytesResumed > 0) report({ type: "note", text: "resumed", facts: { bytes: bytesResumed } });
  progress.start(
    left,
    total(left, ({ entry }) => entry.size - (out.survived.partial.get(entry.name) ?? 0)),
  );
  const turn = out.order === "strict" ? new InOrder(out) : undefined;
  const pending = new Set(left);
  const run = async (segment: Segment, stop: AbortSignal): Promise<void> => {
    const write = turn?.writer(stop) ?? ((offset, chunks) => out.write(offset, chunks));
    if (segment.kind === "bytes") return write(segment.offset, segment.chunks);
    const survived = survivedOf(segment, out);
    if (!pending.has(segment)) {
      await turn?.skip(segment.offset, segment.size, stop);
    } else {
      if (survived > 0) await turn?.skip(segment.offset, segment.entry.offset - segment.offset + survived, stop);
      const onBytes = (bytes: number): void => progress.moved(segment, bytes);
      const limit = turn === undefined ? outstanding.anyOrder : outstanding.inOrder;
      await transfer(segment, out, { write, outstanding: limit, startHash, signal: stop, onBytes });
    }
    progress.done(segment);
  };
  const task = (segment: Segment) => ({ host: hostOf(segment), run: (stop: AbortSignal) => run(segment, stop) });
  await runPool(queue(plan.segments, out.order).map(task), { concurrency, perHost, signal });
  return { bytesResumed };
}

function hostOf(segment: Segment): string {
  return segment.kind === "bytes" ? "" : segment.entry.host;
}

/** Largest first keeps the tail of the transfer short; what is in memory already goes before all. */
function queue(segments: readonly Segment[], order: OpenOutput["order"]): readonly Segment[] {
  if (order !== "any") return segments;
  const weight = (segment: Segment): number => (segment.kind === "bytes" ? Infinity : segment.size);
  return [...segments].sort((a, b) => (weight(a) === weight(b) ? a.offset - b.offset : weight(b) - weight(a)));
}

function total<T>(values: readonly T[], of: (value: T) => number): number {
  return values.reduce((sum, value) => sum + of(value), 0);
}

/**
 * Whether the bundle of this plan stands there already, whole: a run that was killed between giving out the name and
 * saying so had ended its work. All of it is read; what is another bundle shows in the first few KiB.
 */
async function isFinished(
  plan: BundlePlan,
  { isSigned }: Pick<PackInput, "isSigned">,
  output: BundleOutput,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  await using there = await output.finished(plan.size);
  if (there === undefined) return false;
  const signature = plan.entries.find(({ name }) => name === Entry.signature);
  if (signature !== undefined) {
    const stands = await there.read(signature.offset, signature.size);
    if (isSigned?.(plan.sums, stands) !== true) return false;
  }
  for (const segment of plan.segments) if (!(await stands(segment, there, signature, signal))) return false;
  return true;
}

interface Place {
  readonly offset: number;
  readonly size: number;
}

async function stands(
  segment: Segment,
  there: RandomAccess,
  signature: Place | undefined,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  if (segment.kind === "stream") {
    const { entry, offset } = segment;
    if (!(await there.read(offset, entry.header.byteLength)).equals(entry.header)) return false;
    const hash = createHash("sha256");
    for await (const chunk of there.stream(entry.offset, entry.size, signal)) hash.update(chunk);
    return hash.digest("hex") === entry.sha256;
  }
  let at = segment.offset;
  for (const chunk of segment.chunks) {
    const found = at === signature?.offset || (await there.read(at, chunk.byteLength)).equals(chunk);
    if (!found) return false;
    at += chunk.byteLength;
  }
  return true;
}

/** Work for the pool: `host` is whom it burdens, `run` is told to stop by the signal. */
interface Task {
  readonly host: string;
  run(signal: AbortSignal): Promise<void>;
}

interface PoolBounds {
  readonly concurrency: number;
  /** How many tasks of one host run at once. */
  readonly perHost: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs tasks in the given order as far as the bounds allow: a busy host is skipped, not waited for. The first failure
 * stops new work and aborts what is in flight; it is thrown once all of that has ended. By hand, since the libraries know
 * one bound: here each registry has one of its own, so that a slow one does not hold up the others.
 */
async function runPool(tasks: readonly Task[], options: PoolBounds): Promise<void> {
  const stop = new AbortController();
  const signal = options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal]);
  const waiting = [...tasks];
  const busy = new Map<string, number>();
  const running = new Set<Promise<void>>();
  const change = (host: string, by: number): void => void busy.set(host, (busy.get(host) ?? 0) + by);
  const next = (): Task | undefined => {
    if (signal.aborted || running.size >= options.concurrency) return undefined;
    const at = waiting.findIndex(({ host }) => host === "" || (busy.get(host) ?? 0) < options.perHost);
    return at < 0 ? undefined : waiting.splice(at, 1)[0];
  };
  const start = (task: Task): void => {
    change(task.host, 1);
    const ended = task
      .run(signal)
      .catch((error: unknown) => stop.abort(error))
      .finally(() => {
        change(task.host, -1);
        running.delete(ended);
      });
    running.add(ended);
  };
  for (;;) {
    for (let task = next(); task !== undefined; task = next()) start(task);
    if (running.size === 0) break;
    await Promise.race(running);
  }
  signal.throwIfAborted();
}
