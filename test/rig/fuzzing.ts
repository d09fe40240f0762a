import { expect } from "vitest";
import { isFailure } from "../../src/model/failure.ts";
import { describeFailure } from "../../src/ui/failure.ts";
import { seeded, type Random } from "./mutate.ts";
import { processorTime } from "./processor-time.ts";

/** `npm run fuzz` tries more of them, from another seed each time; what fails names the seed that repeats it. */
const seed = Number(process.env["FUZZ_SEED"] ?? 20_260_101);
export const cases = Number(process.env["FUZZ_CASES"] ?? 2400);

/** Of work for one case; and of all of them, beyond what they began with. */
const bounds = { milliseconds: 5000, heap: 512 * 1024 ** 2 };

/** Of all the cases of one test. */
export const allowedTime = 300_000 + cases * 60;

/** `equal`: taken, and it means what the sound one means. `faithful`: taken, and read for what it says itself. */
export type Verdict = "refused" | "equal" | "faithful";

/** Anything but a failure of ours is a bug; a failure has its sentence in both languages. */
export async function judged(take: () => Promise<Verdict> | Verdict): Promise<Verdict> {
  try {
    return await take();
  } catch (error) {
    if (!isFailure(error)) throw error;
    for (const language of ["en", "zh"] as const)
      expect(describeFailure(error, language).message).not.toMatch(/\bundefined|\[object/i);
    return "refused";
  }
}

/** Runs so many cases, each from a seed of its own, and says which one went wrong. */
export async function run(count: number, one: (random: Random) => Promise<Verdict>): Promise<Record<Verdict, number>> {
  const before = process.memoryUsage().heapUsed;
  const verdicts = { refused: 0, equal: 0, faithful: 0 };
  for (let at = 0; at < count; at += 1) {
    const worked = processorTime();
    verdicts[
      await one(seeded(seed + at)).catch((error: unknown) => {
        throw new Error(`FUZZ_SEED=${seed + at} FUZZ_CASES=1: ${String(error)}`, { cause: error });
      })
    ] += 1;
    expect(worked(), `FUZZ_SEED=${seed + at}`).toBeLessThan(bounds.milliseconds);
  }
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(bounds.heap);
  return verdicts;
}
