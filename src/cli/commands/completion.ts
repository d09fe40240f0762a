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
  if (shell === undefined)
    throw new Failure("USAGE", { what: `completion ${asked}`, wrong: "allowed", wanted: shells.join(", ") });
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

/*
 * Bash and zsh hand over words as they are typed: quoted, escaped, with `~`; the program is given what they mean. An
 * option with `=` is one word to the program, and three to bash, which then replaces the last of them only.
 */
const bash = `# bash: source <(higress-airgap completion bash), or save this as /etc/bash_completion.d/higress-airgap
_higress_airgap() {
  local answer word last=0 words=()
  COMPREPLY=()
  for word in "\${COMP_WORDS[@]:0:COMP_CWORD+1}"; do
    word=\${word//[\\\\\\"\\']/}
    [[ $word == "~/"* ]] && word=$HOME/\${word:2}
    if [[ \${words[last]} == --* && $word == = || \${words[last]} == --*= ]]; then
      words[last]+=$word
    else
      last=\${#words[@]}
      words+=("$word")
    fi
  done
  if answer=$("\${words[0]}" __complete "\${words[@]:1}" 2>/dev/null); then
    while IFS= read -r word; do
      word=\${word%%$'\\t'*}
      [[ $word == --*=* && \${COMP_WORDS[COMP_CWORD]} != *=?* ]] && word=\${word#*=}
      [ -n "$word" ] && COMPREPLY+=("$word")
    done <<<"$answer"
  else
    compopt -o default 2>/dev/null
  fi
}
complete -F _higress_airgap ${programs.flatMap((name) => [name, `./${name}`]).join(" ")}
`;

// Out of a folder of $fpath the file is the body of a function, run by the first <Tab>: that one wants an answer, too.
const zsh = `#compdef ${programs.join(" ")}
# zsh: source <(higress-airgap completion zsh), or save this as _higress-airgap in a folder of $fpath
_higress_airgap() {
  local answer
  local -a typed lines
  typed=("\${(@Q)words[1,CURRENT]}")
  typed=("\${(@)typed/#\\~\\//$HOME/}")
  if answer=$("\${typed[1]}" __complete "\${(@)typed[2,-1]}" 2>/dev/null); then
    lines=("\${(@f)answer}")
    lines=("\${(@)lines//:/\\\\:}")
    lines=("\${(@)lines/$'\\t'/:}")
    [ -n "$answer" ] && _describe higress-airgap lines
  else
    compset -P '--*='
    _files
  fi
}
if [[ \${funcstack[1]} == _higress[-_]airgap ]]; then
  _higress_airgap "$@"
else
  whence compdef >/dev/null || { autoload -Uz compinit && compinit -i; }
  compdef _higress_airgap ${programs.join(" ")}
fi
`;

// Where the condition is false fish completes file names itself, and knows how to quote them.
const fish = `# fish: higress-airgap completion fish | source, or save this in ~/.config/fish/completions/higress-airgap.fish
function __higress_airgap
    set -l typed (string replace -r '^~/' "$HOME/" -- (commandline -opc) (commandline -ct))
    set -g __higress_airgap_answer ($typed[1] __complete $typed[2..-1] 2>/dev/null)
end
${programs.map((name) => `complete -c ${name} -f -n __higress_airgap -a '(string join \\n -- $__higress_airgap_answer)'`).join("\n")}
`;

export const completionScripts: Readonly<Record<Shell, string>> = { bash, zsh, fish };
