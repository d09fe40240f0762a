import { resolve } from "node:path";
import { parseConfig } from "../../edge/files/config.ts";
import { readText } from "../../edge/files/read-text.ts";
import { Lock } from "../../model/lock.ts";
import { inventoryOf, parseInventory, type Inventory } from "../../stages/bundle/delta.ts";
import { parseRequest, type RepairRequest } from "../../stages/repair/request.ts";
import type { Context } from "../context.ts";
import { openBundles } from "./bundle.ts";

/** The longest list of digests that a format allows is below this. */
const maxSize = 64 * 1024 ** 2;

export async function readLock(name: string, context: Context): Promise<Lock> {
  const path = resolve(context.cwd, name);
  return parseConfig(await readText(path, maxSize), path, Lock);
}

export async function readRequest(name: string, context: Context): Promise<RepairRequest> {
  const path = resolve(context.cwd, name);
  return parseRequest(await readText(path, maxSize), path);
}

/** What the other side has: said by a list, or by the bundle that was carried there. */
export async function readInventory(name: string, context: Context): Promise<Inventory> {
  const path = resolve(context.cwd, name);
  if (path.endsWith(".json") && !path.endsWith(".volumes.json"))
    return parseInventory(await readText(path, maxSize), path);
  await using bundle = await openBundles(name, [], context);
  return inventoryOf(bundle);
}
