import { open } from "node:fs/promises";
import { resolve } from "node:path";
import { parseConfig } from "../../edge/files/config.ts";
import { Failure } from "../../model/failure.ts";
import { Lock } from "../../model/lock.ts";
import { inventoryOf, parseInventory, type Inventory } from "../../stages/bundle/delta.ts";
import { parseRequest, type RepairRequest } from "../../stages/repair/request.ts";
import type { Context } from "../context.ts";
import { openBundles } from "./bundle.ts";

/** The longest list of digests that a format allows is below this. */
const maxSize = 64 * 1024 ** 2;

export async function readLock(name: string, context: Context): Promise<Lock> {
  const path = resolve(context.cwd, name);
  return parseConfig(await readBounded(path), path, Lock);
}

export async function readRequest(name: string, context: Context): Promise<RepairRequest> {
  const path = resolve(context.cwd, name);
  return parseRequest(await readBounded(path), path);
}

/** What the other side has: said by a list, or by the bundle that was carried there. */
export async function readInventory(name: string, context: Context): Promise<Inventory> {
  const path = resolve(context.cwd, name);
  if (path.endsWith(".json") && !path.endsWith(".volumes.json")) return parseInventory(await readBounded(path), path);
  await using bundle = await openBundles(name, [], context);
  return inventoryOf(bundle);
}

async function readBounded(path: string): Promise<string> {
  try {
    await using file = await open(path);
    const { size } = await file.stat();
    if (size > maxSize) throw new Failure("FILE_UNREADABLE", { path, reason: `${size} B > ${maxSize} B` });
    return await file.readFile("utf8");
  } catch (cause) {
    if (cause instanceof Failure) throw cause;
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT") throw new Failure("FILE_MISSING", { path });
    throw new Failure("FILE_UNREADABLE", { path, reason: code ?? message });
  }
}
