/** Every line of the fenced shell blocks of a page, as people would type it. */
export const shellLines = (page: string): readonly string[] =>
  shellBlocks(page)
    .flatMap((block) =>
      block
        .trim()
        .replaceAll(/\\\n\s*/g, "")
        .split("\n"),
    )
    .map((line) => line.replace(/(^|\s)#.*/, "").trim())
    .filter((line) => line !== "");

/** The text of each fenced shell block. */
export const shellBlocks = (page: string): readonly string[] =>
  [...page.matchAll(/^```sh\n([^]*?)^```$/gm)].map((match) => match[1] ?? "");

/** Calls of the program, as words: by its name, or by the script that starts it in a bundle. */
export const programCalls = (lines: readonly string[]): readonly (readonly string[])[] =>
  lines
    .flatMap((line) => line.split(/&&|\|\||;|\||(?:\s\d)?[<>].*/))
    .map((call) => call.trim().split(/\s+/))
    .filter(([program]) => program === "higress-airgap" || program === "./install.sh")
    .map((words) => words.slice(1));
