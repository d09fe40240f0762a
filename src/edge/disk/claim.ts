import { lstat, readFile, readlink, unlink, utimes, rename, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { Failure } from "../../model/failure.ts";
import { canonicalJson } from "../../std/canonical-json.ts";
import { createFile } from "../files/replace.ts";
import { errorCode, writeFailure } from "./errors.ts";

/** The holder says this often that it lives; silent for so long, it is taken for dead where it cannot be asked. */
const sign = { every: 5_000, lost: 30_000 } as const;

const claimBytes = 4096;

/** Who has a claim. A process id alone is given to somebody else sooner or later. */
interface Holder {
  readonly pid: number;
  /** In clock ticks since boot: field 22 of proc_pid_stat(5). */
  readonly started: string;
  readonly host: string;
  /** What says that a process id means the same process here: the boot of the kernel, and the namespace of ids in it. */
  readonly boot: string;
  readonly namespace: string;
}

/** Beside the bundle that shall be `path`, in one file or in volumes. */
export function claimOf(path: string): string {
  return `${path}.partial.claim`;
}

export interface Claim {
  release(): Promise<void>;
}

/**
 * Claims `path` until it is released. A holder that was killed is recognised and its claim taken over: at
 * once on the same host, by its process id and start; from another host or container, and after a reboot, 30 s after
 * its last sign of life as the clocks of both tell it.
 * @throws Failure FILE_BUSY while somebody holds it
 */
export async function claim(path: string): Promise<Claim> {
  const self = canonicalJson({ ...(await processOf(process.pid)) });
  while (!(await createClaim(path, self))) {
    const found = await readClaim(path);
    if (found === undefined) continue;
    await refuseHeld(path, found);
    // Of all who see that the holder is dead only one may remove its claim, and no other one than that.
    const taking = await claim(`${path}.taking`);
    try {
      if ((await readClaim(path))?.text === found.text) await removeClaim(path);
    } finally {
      await taking.release();
    }
  }
  // Who slept for long may have been taken for dead: the claim of whoever came after must not live by our signs.
  const live = async (): Promise<void> => {
    if ((await readClaim(path))?.text === self) await utimes(path, new Date(), new Date());
  };
  const beat = setInterval(() => void live().catch(() => undefined), sign.every);
  beat.unref();
  const release = async (): Promise<void> => {
    clearInterval(beat);
    // Somebody who took us for dead has put its own there.
    if ((await readClaim(path))?.text === self) await removeClaim(path);
  };
  return { release };
}

/** Runs `work` while `path` is claimed. @throws Failure FILE_BUSY */
export async function whileClaimed<T>(path: string, work: () => Promise<T>): Promise<T> {
  const claimed = await claim(path);
  try {
    return await work();
  } finally {
    await claimed.release();
  }
}

/** Writes nothing: for those who only read what another one writes. @throws Failure FILE_BUSY while somebody holds it */
export async function refuseClaimed(path: string): Promise<void> {
  const found = await readClaim(path);
  if (found !== undefined) await refuseHeld(path, found);
}

/** Whether there is a claim at `path` whose holder is known to be gone. */
export async function isAbandoned(path: string): Promise<boolean> {
  const found = await readClaim(path).catch(() => undefined);
  return found?.holder !== undefined && !(await isHeld(found));
}

async function createClaim(path: string, text: string): Promise<boolean> {
  try {
    await createFile(path, text, { mode: 0o644, flush: false });
    return true;
  } catch (error) {
    if (errorCode(error) === "EEXIST") return false;
    throw writeFailure(error, path, text.length);
  }
}

interface FoundClaim {
  readonly text: string;
  readonly holder: Holder | undefined;
  readonly silent: number;
}

/** Neither a link, which may lead nowhere, nor a pipe, on which reading waits, is a claim: nobody can be asked there. */
async function readClaim(path: string): Promise<FoundClaim | undefined> {
  try {
    const found = await lstat(path);
    if (!found.isFile() || found.size > claimBytes) throw new Failure("FILE_UNWRITABLE", { path, reason: "EEXIST" });
    const text = await readFile(path, "utf8");
    return { text, holder: parseHolder(text), silent: Date.now() - found.mtimeMs };
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw writeFailure(error, path);
  }
}

async function removeClaim(path: string): Promise<void> {
  await unlink(path).catch((error: unknown) => {
    if (errorCode(error) !== "ENOENT") throw writeFailure(error, path);
  });
}

async function refuseHeld(path: string, found: FoundClaim): Promise<void> {
  if (await isHeld(found)) throw new Failure("FILE_BUSY", { path, by: describe(found.holder) });
}

async function isHeld({ holder, silent }: FoundClaim): Promise<boolean> {
  const here = await processOf(process.pid);
  const isAskable =
    holder !== undefined && here.boot !== "" && holder.boot === here.boot && holder.namespace === here.namespace;
  if (!isAskable) return silent < sign.lost;
  return (await processOf(holder.pid)).started === holder.started;
}

/** `started` is empty for a process that is not there or only waits to be reaped, and where there is no proc(5). */
async function processOf(pid: number): Promise<Holder> {
  const read = (name: string): Promise<string> => readFile(name, "latin1").catch(() => "");
  // The second field is the name of the program, which may hold spaces and brackets itself.
  const fields = (await read(`/proc/${String(pid)}/stat`)).replace(/^.*\)\s/s, "").split(" ");
  const gone = fields[0] === "Z" || fields[0] === "X";
  return {
    pid,
    started: gone ? "" : (fields[19] ?? ""),
    host: hostname(),
    boot: (await read("/proc/sys/kernel/random/boot_id")).trim(),
    namespace: await readlink("/proc/self/ns/pid").catch(() => ""),
  };
}

function parseHolder(text: string): Holder | undefined {
  try {
    const { pid, started, host, boot, namespace } = JSON.parse(text) as Partial<Holder>;
    const words = [started, host, boot, namespace];
    if (!Number.isSafeInteger(pid) || words.some((word) => typeof word !== "string")) return undefined;
    return { pid, started, host, boot, namespace } as Holder;
  } catch {
    // Cut off by a power cut, or still being written.
    return undefined;
  }
}

function describe(holder: Holder | undefined): string {
  return holder === undefined ? "?" : `pid ${String(holder.pid)}, ${holder.host.slice(0, 64)}`;
}

/**
 * Has `write` make the file `part`, claimed by this process, and gives it the name `path` once it is whole. What fails leaves
 * no `part`, and `path` as it was.
 * @throws Failure FILE_BUSY; what `write` throws
 */
export async function writeBeside(path: string, part: string, write: () => Promise<void>): Promise<void> {
  await whileClaimed(`${part}.claim`, async () => {
    try {
      await rm(part, { force: true });
      await write();
      await rename(part, path);
    } catch (error) {
      await rm(part, { force: true }).catch(() => undefined);
      throw error;
    }
  });
}
