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
     complete -C "higress-airgap "(string join ' ' -- $argv) | string replace -r '\\t.*' ''; true`,
    ...words,
  ],
} as const;

describe.each(Object.keys(shells) as (keyof typeof shells)[])("%s", (shell) => {
  const path = [`/bin/${shell}`, `/usr/bin/${shell}`].find((file) => existsSync(file));
  const reason = path === undefined ? ` (skipped: ${shell} is not installed)` : "";
  it.skipIf(path === undefined)(`completes commands and values with the script that is printed${reason}`, async () => {
    await using folder = await aTempDirectory();
    await asProgram(folder.path, `exec ${program.join(" ")} "$@"`);
    const complete = (...words: readonly string[]) => completed(shell, words, folder.path);
    expect(await complete("plugins", "e")).toEqual(["enable", "export"]);
    expect(await complete("standalone", "x.tar", "--mode", "")).toEqual(["all-in-one", "compose"]);
    expect(await complete("standalone", "x.tar", ...joined[shell])).toEqual([joinedAnswer[shell]]);
  });

  it.skipIf(path === undefined)(
    `asks the program with what the words mean, however they are typed${reason}`,
    async () => {
      await using folder = await aTempDirectory();
      const answering = 'shift; while [ $# -gt 1 ]; do echo "[$1]"; shift; done';
      await asProgram(folder.path, `[ "$1" = __complete ] || exec ${program.join(" ")} "$@"\n${answering}`);
      const complete = (...words: readonly string[]) => completed(shell, words, folder.path);
      expect(await complete(String.raw`my\ files/b.tar`, "")).toEqual(["[my files/b.tar]"]);
      expect(await complete('"my files/b.tar"', "")).toEqual(["[my files/b.tar]"]);
      expect(await complete("~/b.tar", "")).toEqual([`[${folder.path}/b.tar]`]);
    },
  );
});

const zsh = existsSync("/bin/zsh") || existsSync("/usr/bin/zsh");
it.skipIf(!zsh)("the first <Tab> of zsh is answered, too, when the script is in a folder of $fpath", async () => {
  await using folder = await aTempDirectory();
  await asProgram(folder.path, `exec ${program.join(" ")} "$@"`);
  const { stdout } = await execa(
    "zsh",
    [
      "-fc",
      `higress-airgap completion zsh > _higress-airgap
       compdef() { :; }; _describe() { print -rl -- "\${(@P)2}"; }
       fpath=($PWD $fpath); autoload -Uz _higress-airgap
       words=(higress-airgap plugins en); CURRENT=3
       _higress-airgap`,
    ],
    { env: { PATH: `${folder.path}:/usr/bin:/bin`, HOME: folder.path }, extendEnv: false, cwd: folder.path },
  );
  expect(stdout).toMatch(/^enable:/);
});

const fish = existsSync("/bin/fish") || existsSync("/usr/bin/fish");
it.skipIf(!fish)("files with spaces are completed by fish itself, which knows how to quote them", async () => {
  await using folder = await aTempDirectory();
  await asProgram(folder.path, `exec ${program.join(" ")} "$@"`);
  await writeFile(join(folder.path, "my bundle.tar"), "");
  expect(await completed("fish", ["verify", String.raw`my\ b`], folder.path)).toEqual(["my bundle.tar"]);
});

/** How each shell takes `--mode=c` apart before a script sees it, and which piece of it a candidate replaces. */
const joined = { bash: ["--mode", "=", "c"], zsh: ["--mode=c"], fish: ["--mode=c"] } as const;
const joinedAnswer = { bash: "compose", zsh: "--mode=compose", fish: "--mode=compose" } as const;

async function asProgram(folder: string, line: string): Promise<void> {
  const named = join(folder, "higress-airgap");
  await writeFile(named, `#!/bin/sh\n${line}\n`);
  await chmod(named, 0o755);
}

async function completed(shell: keyof typeof shells, words: readonly string[], folder: string) {
  const env = { PATH: `${folder}:/usr/bin:/bin`, HOME: folder };
  const { stdout } = await execa(shell, shells[shell](words), { env, extendEnv: false, cwd: folder });
  return stdout
    .split("\n")
    .map((line) => line.trim())
    .sort();
}
