import { readdir, readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";

/** Looks at the threads of that name until the process ends: hundredths of a second that each of them worked. */
export async function ticksOfThreads(pid: number, name: string): Promise<readonly number[]> {
  const ticks = new Map<string, number>();
  const folder = `/proc/${String(pid)}/task`;
  for (;;) {
    const ids = await readdir(folder).catch(() => []);
    if (ids.length === 0) return [...ticks.values()];
    for (const id of ids) {
      const [, called, rest = ""] =
        /\((.*)\) (.*)/s.exec(await readFile(`${folder}/${id}/stat`, "utf8").catch(() => "")) ?? [];
      const fields = rest.split(" ");
      // utime and stime: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
      if (called === name) ticks.set(id, Number(fields[11]) + Number(fields[12]));
    }
    await delay(5);
  }
}
