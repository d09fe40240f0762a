import { execa } from "execa";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";

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

/** Pixels. A headless Chromium makes no window that is narrower; the pages change at 640. */
export const narrow = 500;

/** How wide the page is in a window that is so wide: more than that, and a reader must push it to and fro. In pixels. */
export async function widthOn(pixels: number, file: string, folder: string): Promise<number> {
  // The policy refuses scripts that we add, which is as it should be: the copy has none.
  const html = (await readFile(file, "utf8")).replace(/<meta http-equiv[^>]*>/, "");
  // What a box would have to be scrolled for counts as the page's own.
  const hidden = "[...document.querySelectorAll('.scroll')].map((box) => box.scrollWidth - box.clientWidth)";
  const script = `<script>document.title = document.documentElement.scrollWidth + Math.max(0, ...${hidden})</script>`;
  const copy = `${folder}/measured.html`;
  await writeFile(copy, html.replace("</body>", `${script}</body>`));
  const { dom } = await visit(copy, folder, [`--window-size=${String(pixels)},900`]);
  return Number(/<title>(\d+)<\/title>/.exec(dom)?.[1]);
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
    { timeout: 180_000, stdin: "ignore" },
  );
  return { dom: stdout, console: stderr.split("\n").filter((line) => line.includes(":CONSOLE")) };
}
