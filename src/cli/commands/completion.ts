import { basename } from "node:path";
import { Failure } from "../../model/failure.ts";
import type { Context } from "../context.ts";
import { text, type Flags } from "../define.ts";
import { ExitCode } from "../exit-code.ts";

/** Prints the script of a shell; without a name, of the shell that the user has. */
// eslint-disable-next-line @typescript-eslint/require-await -- commands are promises
export default async function run(flags: Flags, context: Context): Promise<ExitCode> {
  const asked = text(flags, "shell") ?? basename(context.env["SHELL"] ?? "");
  const shell = shells.find((name) => name === asked);
  if (shell === undefined) throw new Failure("USAGE", { what: `completion ${asked}: ${shells.join(", ")}` });
  context.stdout.write(completionScripts[shell]);
  return ExitCode.done;
}

/**
 * What the shells are told. Each asks the program itself (`__complete`, see `cli/process.ts`), so that a script which was
 * saved once is right for every later version. The program answers with a line `word<TAB>meaning` for each candidate, or
 * with nothing at all and exit code 1 where file names are wanted.
 * Names: the npm package's, the executables' as a bundle carries them, and the script that starts those.
 */
export const shells = ["bash", "zsh", "fish"] as const;
type Shell = (typeof shells)[number];

const programs = ["higress-airgap", "higress-airgap-linux-amd64", "higress-airgap-linux-arm64", "install.sh"] as const;

const bash = `# bash: source <(higress-airgap completion bash), or save this as /etc/bash_completion.d/higress-airgap
_higress_airgap() {
  local answer word
  COMPREPLY=()
  if answer=$("\${COMP_WORDS[0]}" __complete "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null); then
    while IFS= read -r word; do
      [ -n "$word" ] && COMPREPLY+=("\${word%%$'\\t'*}")
    done <<<"$answer"
  else
    compopt -o default 2>/dev/null
  fi
}
complete -F _higress_airgap ${programs.flatMap((name) => [name, `./${name}`]).join(" ")}
`;

const zsh = `#compdef ${programs.join(" ")}
# zsh: source <(higress-airgap completion zsh), or save this as _higress-airgap in a folder of $fpath
_higress_airgap() {
  local answer
  local -a lines
  if answer=$("\${words[1]}" __complete "\${(@)words[2,CURRENT]}" 2>/dev/null); then
    lines=("\${(@f)answer}")
    lines=("\${(@)lines//:/\\\\:}")
    lines=("\${(@)lines/$'\\t'/:}")
    [ -n "$answer" ] && _describe higress-airgap lines
  else
    _files
  fi
}
compdef _higress_airgap ${programs.join(" ")}
`;

const fish = `# fish: higress-airgap completion fish | source, or save this in ~/.config/fish/completions/higress-airgap.fish
function __higress_airgap
    set -l typed (commandline -opc) (commandline -ct)
    set -l answer ($typed[1] __complete $typed[2..-1] 2>/dev/null)
    if test $status -eq 0
        printf '%s\\n' $answer
    else
        __fish_complete_path (commandline -ct)
    end
end
${programs.map((name) => `complete -c ${name} -f -a '(__higress_airgap)'`).join("\n")}
`;

export const completionScripts: Readonly<Record<Shell, string>> = { bash, zsh, fish };
