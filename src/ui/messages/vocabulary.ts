import type { Note, NoteFacts, Phase } from "../../model/event.ts";
import type { FailureCode, FailureFacts, Side } from "../../model/failure.ts";
import type { FindingCode, FindingFacts, Severity } from "../../model/finding.ts";
import type { ItemKind } from "../../model/lock.ts";
import type { Remedies } from "./remedies.ts";
import type { Terms } from "./terms.ts";

/** `message` says what was done, to what, and what came back; `hint` says what to type or to ask for next. */
export interface Sentence {
  readonly message: string;
  readonly hint: string;
}

type Holes<T extends string> = T extends `${string}{${infer Name}}${infer Rest}` ? (Name extends `${string} ${string}` ? never : Name) | Holes<Rest> : never; // braces around more than a word are YAML that is to be typed

/** A sentence whose `{holes}` are all facts of its code; anything else does not compile. */
export type Checked<Facts, S extends Sentence> = [Exclude<Holes<S["message"] | S["hint"]>, keyof Facts & string>] extends [never] ? S : { readonly unknownHole: Exclude<Holes<S["message"] | S["hint"]>, keyof Facts & string> };

export type FailureSentences = Readonly<Record<FailureCode, Sentence>>;
export type FindingSentences = Readonly<Record<FindingCode, Sentence>>;
/** Complete by the compiler: a code without a sentence, or a sentence with an unknown hole, is a type error. */
export function failureSentences<const T extends FailureSentences>(sentences: { readonly [C in FailureCode]: Checked<FailureFacts[C], T[C]> } & T): FailureSentences {
  return sentences;
}

export function findingSentences<const T extends FindingSentences>(sentences: { readonly [C in FindingCode]: Checked<FindingFacts[C], T[C]> } & T): FindingSentences {
  return sentences;
}

export type NoteSentences = Readonly<Record<Note, string>>;
export function noteSentences<const T extends NoteSentences>(sentences: { readonly [N in Note]: [Exclude<Holes<T[N]>, keyof NoteFacts[N]>] extends [never] ? T[N] : { readonly unknownHole: Exclude<Holes<T[N]>, keyof NoteFacts[N]> } } & T): NoteSentences {
  return sentences;
}

export const commandNames = [
  "build",
  "outdated",
  "inspect",
  "verify",
  "push",
  "mirror",
  "render",
  "install",
  "serve",
  "preflight",
  "check",
  "doctor",
  "status",
  "history",
  "inspect-cluster",
  "plugins",
  "plugins list",
  "plugins check",
  "plugins enable",
  "plugins disable",
  "plugins export",
  "repair",
  "inventory",
  "diff",
  "keygen",
  "node-config",
  "images export",
  "standalone",
  "rollback",
  "uninstall",
  "init",
  "site",
  "site init",
  "site form",
  "relocation learn",
  "explain",
  "completion",
] as const;
export type CommandName = (typeof commandNames)[number];

export const flagNames = [
  "bundle",
  "spec",
  "site",
  "out",
  "lock",
  "reuse",
  "since",
  "only",
  "rate",
  "volume-size",
  "concurrency",
  "allow-missing",
  "overwrite",
  "sign-key",
  "sums",
  "key",
  "output",
  "lang",
  "verbose",
  "quick",
  "report",
  "dry-run",
  "yes",
  "to",
  "for",
  "repo-url",
  "repo-path",
  "existing",
  "diff",
  "host",
  "port",
  "tls-cert",
  "tls-key",
  "login-user",
  "login-password-file",
  "plugins-only",
  "directory",
  "from",
  "request",
  "name",
  "skip",
  "force-conflicts",
  "crds",
  "namespace-too",
  "logs",
  "collect",
  "mode",
  "algorithm",
  "runtime",
  "html",
  "json",
  "code",
  "config",
  "preset",
  "platform",
  "release-version",
  "registry-host",
  "project",
  "helm",
  "kubectl",
  "kubeconfig",
  "context",
  "sbom",
  "base",
  "in-order",
  "old",
  "new",
  "values",
  "set",
  "chart",
  "namespace",
  "release",
  "kube-version",
  "shell",
] as const;
export type FlagName = (typeof flagNames)[number];

/** Everything that a user reads, in one language. */
export interface Catalogue {
  readonly failures: FailureSentences;
  readonly findings: FindingSentences;
  readonly notes: NoteSentences;
  readonly phases: Readonly<Record<Phase, string>>;
  readonly sides: Readonly<Record<Side, string>>;
  readonly kinds: Readonly<Record<ItemKind, string>>; // of the items of a bundle
  readonly severities: Readonly<Record<Severity, string>>;
  readonly terms: Terms;
  readonly remedies: Remedies;
  /** What there is to move, before it moves: `{items}`, `{size}`; of an archive, whose entries are more than its items. */
  readonly transfer: string;
  readonly reading: string;
  /** Between words that are put together here and not in a sentence. */
  readonly punctuation: { readonly colon: string; readonly comma: string };
  readonly commands: Readonly<Record<CommandName, { readonly about: string; readonly example: string }>>;
  readonly flags: Readonly<Record<FlagName, string>>;
  readonly words: Readonly<Record<Word, string>>;
  readonly exitCodes: Readonly<Record<ExitName, string>>;
}

/** How a command can end; the numbers are in `cli/exit-code.ts`. */
export type ExitName = "done" | "failed" | "usage" | "findings" | "interrupted";

/** Single words and short phrases of tables, progress lines and summaries. */
export type Word =
  | "hint"
  | "cause"
  | "bug"
  | "items"
  | "images"
  | "charts"
  | "plugins"
  | "blobs"
  | "size"
  | "platforms"
  | "programs"
  | "layout"
  | "start"
  | "memory"
  | "reference"
  | "digest"
  | "kind"
  | "name"
  | "version"
  | "created"
  | "bundle"
  | "errors"
  | "warnings"
  | "notes"
  | "ok"
  | "left"
  | "uploaded"
  | "to-upload"
  | "to-mount"
  | "mounted"
  | "present"
  | "verified"
  | "stalled"
  | "retrying"
  | "no-findings"
  | "done"
  | "skipped"
  | "failure"
  | "finding"
  | "failures"
  | "findings"
  | "exit-code"
  | "exit-codes"
  | "side"
  | "added"
  | "removed"
  | "changed"
  | "unchanged"
  | "identical"
  | "new-bytes"
  | "source"
  | "licence"
  | "role"
  | "built-in"
  | "shared"
  | "delta-on"
  | "takes-space"
  | "once"
  | "other"
  | "merge-into"
  | "then-run"
  | "sort"
  | "tool"
  | "ask-version"
  | "ask-platforms"
  | "ask-preset"
  | "ask-host"
  | "ask-project"
  | "ask-go-on"
  | "ask-existing";
