import { failureInBrief, isFailure, type Failure } from "../../model/failure.ts";
import { finding, type Finding, type RegistryQuestion } from "../../model/finding.ts";
import type { LockItem } from "../../model/lock.ts";
import type { Reference } from "../../model/reference.ts";
import type { PullProbe, RegistryProbe } from "./ports.ts";

export interface RegistryPreflightInput {
  readonly host: string;
  readonly plainHttp: boolean;
  readonly insecure: boolean;
  /** A user name, or `anonymous`: for messages. */
  readonly as: string;
  readonly mapped: readonly { readonly item: LockItem; readonly targets: readonly Reference[] }[];
  /** Bytes that a push would add, by project; of one without it the whole of every item is taken, and a short quota is a warning. */
  readonly missing?: ReadonlyMap<string, number> | undefined;
  /** Projects that nothing has to be written to: a refusal of writes is no obstacle there. */
  readonly settled?: ReadonlySet<string> | undefined;
  /** Bytes of the largest blob. */
  readonly largestBlob: number;
  /** The project may be made when it is not there. */
  readonly createProject: boolean;
  /** Absent: the cluster pulls without credentials. */
  readonly pull?: PullProbe | undefined;
  /** The cluster pulls as a robot that Harbor makes for it. */
  readonly robot?: boolean | undefined;
  /** The gateway fetches its plugins from there, with a client that is no kubelet's. */
  readonly gatewayPulls?: boolean | undefined;
  /** Told of each question that has nothing against the install. */
  readonly passed?: ((asked: { readonly subject: string; readonly question: RegistryQuestion }) => void) | undefined;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly signal?: AbortSignal | undefined;
}

/** What every question may use. */
export interface Asking {
  readonly input: RegistryPreflightInput;
  readonly probe: RegistryProbe;
  /** First path segments of all targets. */
  readonly projects: readonly string[];
  /** Where its greeting sends for tokens. */
  readonly realm?: string | undefined;
}

/** Some repository of a project, since tokens and uploads are asked for by repository. */
export function repositoryIn({ mapped }: RegistryPreflightInput, project: string): string {
  const all = mapped.flatMap(({ targets }) => targets.map(({ repository }) => repository));
  return all.find((repository) => repository.startsWith(`${project}/`)) ?? `${project}/higress-airgap-preflight`;
}

/** A question about one project, or about the registry as a whole. */
export interface Question {
  readonly question: RegistryQuestion;
  readonly project?: string | undefined;
}

export function notAsked({ input }: Pick<Asking, "input">, { question, project }: Question, why: string): Finding {
  return finding("note", "registry.not-asked", { subject: subjectOf(input, project), question, why });
}

export function subjectOf({ host }: RegistryPreflightInput, project: string | undefined): string {
  return project === undefined ? host : `${host}/${project}`;
}

/** What a question that broke is to a reader: its cause where the cause has a name, else that nobody answered. */
export function failedQuestion({ input, realm }: Asking, { question, project }: Question, failure: Failure): Finding {
  const { host } = input;
  if (isFailure(failure, "REGISTRY_LOGIN_WRONG"))
    return finding("error", "registry.credentials-wrong", { host, as: failure.facts.as });
  if (isFailure(failure, "REGISTRY_TOKEN_REFUSED")) {
    const { as, why } = failure.facts;
    return finding("error", "registry.token-refused", { host, as, why });
  }
  const { action } = failure.facts as { readonly action?: unknown };
  const reason = failureInBrief(failure);
  if (action === "GET token") return finding("error", "registry.token-service", { host, realm: realm ?? "?", reason });
  const subject = project === undefined ? host : `${host}/${project}`;
  return finding("error", "registry.unanswered", { subject, question, reason });
}

/** One cause is one finding, however many questions it spoiled: the first says it. */
export function withoutRepeats(findings: readonly Finding[]): readonly Finding[] {
  const seen = new Set<string>();
  return findings.filter((found) => {
    if (found.severity !== "error") return true;
    const cause = Object.entries(found.facts).filter(([name]) => name !== "question" && name !== "subject");
    const key = `${found.code} ${JSON.stringify(cause)}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}
