import { Failure, type Side } from "./failure.ts";
import type { ClusterQuestion, Finding, RegistryQuestion } from "./finding.ts";

/** The steps of a build and of an install, in order; each is a line in the receipt. */
export type Phase =
  | "learn"
  | "resolve"
  | "discover"
  | "fetch"
  | "pack"
  | "verify"
  | "preflight"
  | "push"
  | "render"
  | "prove"
  | "apply"
  | "plugins"
  | "check"
  | "undo";

/** The phases of an install, which `--skip` may name. */
export const installPhases = [
  "verify",
  "preflight",
  "push",
  "render",
  "prove",
  "apply",
  "plugins",
  "check",
] as const satisfies readonly Phase[];

/** What happens while working. Terminal, plain lines and JSON are three renderings of this one stream. */
export type Event =
  | {
      readonly type: "phase";
      readonly phase: Phase;
      readonly state: "started" | "done" | "skipped";
      readonly detail?: string | undefined;
    }
  /** What this run goes through, in order, said before the first phase. */
  | { readonly type: "job"; readonly phases: readonly Phase[] }
  /** What begins, by name, where no bytes are counted: `done` of `items` are behind. */
  | {
      readonly type: "step";
      readonly phase: Phase;
      readonly name: string;
      readonly done: number;
      readonly items: number;
    }
  /** How much there is to do, said before the first byte moves. */
  | { readonly type: "transfer"; readonly phase: Phase; readonly items: number; readonly bytes: number }
  /** `bytes` moved since the last such event of this name; `size` is the whole. */
  | {
      readonly type: "moved";
      readonly phase: Phase;
      readonly name: string;
      readonly bytes: number;
      readonly size: number;
    }
  | {
      readonly type: "item";
      readonly phase: Phase;
      readonly name: string;
      readonly bytes: number;
      readonly state: "done" | "present" | "mounted" | "failed";
    }
  | {
      readonly type: "retry";
      readonly what: string;
      readonly why: string;
      readonly attempt: number;
      readonly wait: number;
    }
  | { readonly type: "stalled"; readonly what: string; readonly seconds: number }
  /** `more`: another one of the same list follows at once. */
  | { readonly type: "finding"; readonly finding: Finding; readonly more?: boolean }
  | NoteEvent;

/** Things worth a line that are neither a finding nor a failure, with the facts of each; the words are in the catalogues. */
export interface NoteFacts {
  written: { path: string; size: string };
  resumed: { bytes: number };
  finished: { path: string };
  mirrored: { prefix: string; path: string };
  listening: { what: string; url: string };
  "nothing-to-do": object;
  "helper-silent": { program: string; host: string; seconds: number; limit: number };
  waiting: { workload: string; ready: number; wanted: number };
  /** `old`: pods of the template before, which go when new ones are ready. */
  "waiting-old": { workload: string; ready: number; wanted: number; old: number };
  "plugin-on": { plugin: string };
  "plugin-off": { plugin: string };
  saved: { path: string };
  /** What was there and is replaced. */
  "kept-before": { path: string; kept: string };
  "kept-yours": { path: string; beside: string };
  learned: { found: number; moved: number; patched: number; renders: number };
  proved: { images: number; strings: number; outside: number; prefix: string };
  "rolled-back": { bundle: string; number: number };
  uninstalled: { release: string; objects: number };
  withdrawn: { objects: number };
  // The last words of an install.
  "install-took": { seconds: number; sent: string; present: string };
  address: { service: string; at: string };
  "console-address": { command: string };
  "plugins-on": { plugins: string };
  "next-commands": { look: string; undo: string };
  // Of preflight: there is nothing against it.
  "passed-registry": { subject: string; question: RegistryQuestion };
  "passed-cluster": { question: ClusterQuestion };
  "leftover-repointed": { name: string; url: string; to: string };
  "leftover-off": { name: string; url: string };
  // What a command is about to do.
  "plan-release": { release: string; from: string; to: string };
  "plan-push": { images: number; plugins: number; prefix: string };
  "plan-phases": { phases: string };
  "plan-ownership": { release: string; objects: number; by: string };
  "owner-kept": { release: string; values: string };
  "owner-dropped": { release: string; values: string };
  "owner-overridden": { release: string; values: string };
  "rolled-back-to-owner": { release: string; chart: string; revision: number };
  "plan-release-back": { release: string; revision: number };
  "plan-release-gone": { release: string };
  "plan-plugins": { plugins: string };
  "plan-given-back": { objects: string };
  "plan-deleted": { objects: string };
  "plan-crds-deleted": { crds: string };
  interrupted: object;
}

export type Note = keyof NoteFacts;

/** A note without one of its facts does not compile: a hole in its sentence would stay open. */
export type NoteEvent = {
  [N in Note]: { readonly type: "note"; readonly text: N; readonly facts: Readonly<NoteFacts[N]> };
}[Note];

export type Report = (event: Event) => void;

export const silent: Report = () => undefined;

/** All of a list, so that those that are alike can be told together. What two questions have found is told once. */
export function reportFindings(findings: readonly Finding[], report: Report): void {
  const distinct = [...new Map(findings.map((found) => [JSON.stringify(found), found])).values()];
  distinct.forEach((found, at) => report({ type: "finding", finding: found, more: at < distinct.length - 1 }));
}

/** Reports all findings, then stops if one of them is an error. @throws Failure FINDINGS */
export function stopAt(findings: readonly Finding[], report: Report, side?: Side): void {
  reportFindings(findings, report);
  stopAtErrors(findings, side);
}

/** Of findings that are reported: stops if one of them is an error. @throws Failure FINDINGS */
export function stopAtErrors(findings: readonly Finding[], side?: Side): void {
  const errors = findings.filter(({ severity }) => severity === "error");
  if (errors.length > 0) throw new Failure("FINDINGS", { count: errors.length }, { side: side ?? sideOf(errors) });
}

const sides: readonly (readonly [prefix: string, side: Side])[] = [
  ["cluster.", "cluster"],
  ["registry.", "target"],
];

/** Where to look, when all of them are in one place. */
function sideOf(errors: readonly Finding[]): Side | undefined {
  return sides.find(([prefix]) => errors.every(({ code }) => code.startsWith(prefix)))?.[1];
}
