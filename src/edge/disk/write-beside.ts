import { rename, rm } from "node:fs/promises";
import { whileClaimed } from "./claim.ts";

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
