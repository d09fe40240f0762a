import { execa } from "execa";
import { existsSync } from "node:fs";

const program = "/usr/bin/chromium";

/** Why a test with a browser cannot run here, if so. */
export const noChromium = existsSync(program) ? undefined : `${program} is not installed`;

// Nothing of the browser's own may go out: a failed look-up would hide one of the page.
const quiet = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--hide-scrollbars",
  "--enable-logging=stderr",
];

export interface Visit {
  /** The document after its scripts ran. */
  readonly dom: string;
  /** Lines of the page's console: refusals of its content policy stand here. */
  readonly console: readonly string[];
}

/** Opens a file in a real browser with a profile of its own. */
export async function visit(file: string, folder: string, more: readonly string[] = []): Promise<Visit> {
  const { stdout, stderr } = await execa(
    program,
    [
      ...quiet,
      `--user-data-dir=${folder}/profile`,
      "--virtual-time-budget=2000",
      ...more,
      "--dump-dom",
      `file://${file}`,
    ],
    { timeout: 60_000, stdin: "ignore" },
  );
  return { dom: stdout, console: stderr.split("\n").filter((line) => line.includes(":CONSOLE")) };
}
