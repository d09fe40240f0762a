import { execa } from "execa";
import { mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";

/** A PATH with what install.sh needs, and no node, helm or kubectl. */
export async function barePath(root: string): Promise<string> {
  const bin = join(root, "bare-bin");
  await mkdir(bin, { recursive: true });
  for (const tool of ["sh", "uname", "dirname", "sed", "sha256sum", "cut", "chmod", "tar", "cat", "ls", "env"])
    await symlink((await execa("which", [tool])).stdout, join(bin, tool));
  return bin;
}
