import { execa } from "execa";
import { existsSync } from "node:fs";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { program } from "../rig/cli.ts";
import { aTempDirectory } from "../rig/temp-directory.ts";

/** What each shell itself makes of `higress-airgap WORDS<tab>`, with the script that the program prints. */
const shells = {
  bash: (words: readonly string[]) => [
    "-c",
    `source <(higress-airgap completion bash)
     COMP_WORDS=(higress-airgap "$@"); COMP_CWORD=$#
     _higress_airgap; printf '%s\\n' "\${COMPREPLY[@]}"`,
    "bash",
    ...words,
  ],
  // _describe wants a terminal; what it is handed is what counts.
  zsh: (words: readonly string[]) => [
    "-fc",
    `compdef() { :; }; _files() { echo FILES; }; _describe() { print -rl -- "\${(@P)2}"; }
     source <(higress-airgap completion zsh)
     words=(higress-airgap "$@"); CURRENT=$(( $# + 1 ))
     _higress_airgap | sed 's/:.*//'`,
    "zsh",
    ...words,
  ],
  fish: (words: readonly string[]) => [
    "-c",
    `higress-airgap completion fish | source
     complete -C "higress-airgap ${words.join(" ")}" | string replace -r '\\t.*' ''; true`,
  ],
} as const;

describe.each(Object.keys(shells) as (keyof typeof shells)[])("%s", (shell) => {
  const path = [`/bin/${shell}`, `/usr/bin/${shell}`].find((file) => existsSync(file));
  const reason = path === undefined ? ` (skipped: ${shell} is not installed)` : "";
  it.skipIf(path === undefined)(`completes commands and values with the script that is printed${reason}`, async () => {
    await using folder = await aTempDirectory();
    const named = join(folder.path, "higress-airgap");
    await writeFile(named, `#!/bin/sh\nexec ${program.join(" ")} "$@"\n`);
    await chmod(named, 0o755);
    const complete = async (...words: readonly string[]) => {
      const env = { PATH: `${folder.path}:/usr/bin:/bin`, HOME: folder.path };
      const { stdout } = await execa(path ?? shell, shells[shell](words), { env, extendEnv: false, cwd: folder.path });
      return stdout.split("\n").map((line) => line.trim());
    };
    expect((await complete("plugins", "e")).sort()).toEqual(["enable", "export"]);
    expect((await complete("standalone", "x.tar", "--mode", "")).sort()).toEqual(["all-in-one", "compose"]);
  });
});
