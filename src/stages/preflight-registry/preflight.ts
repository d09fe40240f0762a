import { Failure, failureInBrief, isFailure } from "../../model/failure.ts";
import { projectsOf } from "../../model/relocation.ts";
import {
  finding,
  type Finding,
  type FindingCode,
  type RegistryKind,
  type RegistryQuestion,
} from "../../model/finding.ts";
import {
  notAsked,
  subjectOf,
  failedQuestion,
  withoutRepeats,
  type Asking,
  type RegistryPreflightInput,
  type Question,
} from "./context.ts";
import {
  kindOf,
  saysHarbor,
  clockQuestion,
  realmOf,
  realmQuestion,
  tlsQuestion,
  headQuestion,
  registryQuestion,
} from "./questions/door.ts";
import type { Connection, Greeting, RegistryProbe } from "./ports.ts";
import {
  credentialsQuestion,
  pullQuestion,
  pushQuestion,
  robotQuestion,
  projectQuestion,
  quotaQuestion,
  healthQuestion,
  readOnlyQuestion,
  immutableQuestion,
  uploadQuestion,
  writeQuestion,
} from "./questions/project.ts";

export interface PreflightResult {
  readonly findings: readonly Finding[];
  readonly kind: RegistryKind;
  readonly harborVersion?: string | undefined;
}

/**
 * Asks every question that a push could fail on, and changes nothing. All findings come in one run: a question that
 * breaks becomes a finding itself and hides no other; what one cause has spoiled is told once.
 */
export async function preflightRegistry(input: RegistryPreflightInput, probe: RegistryProbe): Promise<PreflightResult> {
  const asking: Asking = { input, probe, projects: [...projectsOf(input.mapped)].sort() };
  const connection = await reach(asking);
  if ("code" in connection) return { findings: [connection], kind: "unknown" };
  const door = await ask(asking, { question: "tls" }, () => tlsQuestion(asking, connection));
  const distrusted = door.some(({ code }) => code === "registry.tls");
  // Nothing that matters is sent over a line that is not trusted, so all else has to wait for the CA.
  if (distrusted) return { findings: [...door, notAsked(asking, { question: "all" }, "TLS")], kind: "unknown" };
  const greeting = await greet(asking);
  if ("code" in greeting) return { findings: [...door, greeting], kind: "unknown" };
  const refused = registryQuestion(asking, greeting);
  if (refused.length > 0)
    return { findings: [...door, ...refused, notAsked(asking, { question: "all" }, "/v2/")], kind: "unknown" };
  const seen = [...realmQuestion(asking, greeting, connection), ...clockQuestion(asking, greeting)];
  const { findings, ...found } = await greeted({ ...asking, realm: realmOf(greeting) }, greeting);
  return { ...found, findings: withoutRepeats([...door, ...seen, ...findings]) };
}

async function greeted(asking: Asking, greeting: Greeting): Promise<PreflightResult> {
  const { input, probe } = asking;
  const answersApi = saysHarbor(greeting) ? await tried(() => probe.harbor.ping(input.signal), input) : false;
  if (typeof answersApi !== "boolean")
    return { findings: [failedQuestion(asking, { question: "harbor" }, answersApi)], kind: "unknown" };
  const kind = kindOf(greeting, answersApi);
  const credentials = await ask(asking, { question: "credentials" }, () => credentialsQuestion(asking, greeting));
  const version = kind === "harbor" && credentials.length === 0 ? await versionOf(asking) : undefined;
  const findings = [
    kind === "harbor"
      ? finding("note", "registry.harbor", { host: input.host, version: version ?? "?" })
      : finding("note", "registry.not-harbor", { host: input.host, kind }),
    ...robotQuestion(asking, kind),
    ...credentials,
    ...(stops(asking, credentials)
      ? [notAsked(asking, { question: "all" }, "credentials")]
      : await inside(asking, kind)),
  ];
  return { findings, kind, harborVersion: version };
}

/** Whoever cannot log in is told nothing true about the rest; of who only cannot pull the rest is asked. */
function stops({ input }: Asking, credentials: readonly Finding[]): boolean {
  return credentials.some(({ severity, facts }) => severity === "error" && (!("as" in facts) || facts.as === input.as));
}

/** In this order, and left out of every other kind. */
const harborOnly: readonly RegistryQuestion[] = ["project", "quota", "read-only", "health", "immutable"];

type Answer = () => Promise<readonly Finding[]>;

async function inside(asking: Asking, kind: RegistryKind): Promise<readonly Finding[]> {
  const { input } = asking;
  const isHarbor = kind === "harbor";
  const found = isHarbor ? await findProjects(asking) : { findings: [], there: asking.projects };
  const { there } = found;
  const each = (question: RegistryQuestion, answer: (asking: Asking, project: string) => Promise<readonly Finding[]>) =>
    there.map((project): [Question, Answer] => [{ question, project }, () => answer(asking, project)]);
  const head = await ask(asking, { question: "head" }, () => headQuestion(asking, there));
  const questions: readonly [Question, Answer][] = [
    ...each("push", pushQuestion),
    ...each("pull", pullQuestion),
    ...(isHarbor ? each("quota", quotaQuestion) : []),
    ...(isHarbor ? ofTheSystem(asking) : []),
    ...(isHarbor ? each("immutable", immutableQuestion) : []),
    // A server that does not know HEAD knows no uploads either: one cause, one finding.
    ...(head.length > 0 ? [] : isHarbor ? [uploadOnce(asking, there)] : each("upload", writeQuestion)),
  ];
  const isSettled = (project: string): boolean => input.settled?.has(project) === true;
  const answers: Finding[] = [...found.findings, ...head];
  // In turn: Harbor answers an account late that it has just refused (docs/facts/harbor.md#telling-registries-apart).
  for (const [question, answer] of questions) {
    const answered = await ask(asking, question, answer);
    const { project } = question;
    const writes = project === undefined ? !there.every(isSettled) : !isSettled(project);
    const isOfWrites = ofWrites.has(question.question) && !writes;
    answers.push(...(isOfWrites ? unlessErrors(answered, subjectOf(input, project)) : answered));
  }
  if (!isHarbor) answers.push(...harborOnly.map((question) => notAsked(asking, { question }, "harbor-only")));
  return answers;
}

/** What only who writes has to ask. */
const ofWrites: ReadonlySet<RegistryQuestion> = new Set(["push", "quota", "read-only", "immutable", "upload"]);

/** Where nothing has to be written, that it would be refused is worth a word, and no more. */
function unlessErrors(findings: readonly Finding[], subject: string): readonly Finding[] {
  const refused = findings.some(({ severity }) => severity === "error");
  return refused ? [finding("note", "registry.takes-no-writes", { subject })] : findings;
}

function uploadOnce(asking: Asking, there: readonly string[]): [Question, Answer] {
  return [{ question: "upload" }, () => uploadQuestion(asking, there)];
}

function ofTheSystem(asking: Asking): readonly [Question, Answer][] {
  return [
    [{ question: "read-only" }, () => readOnlyQuestion(asking)],
    [{ question: "health" }, () => healthQuestion(asking)],
  ];
}

const absent: ReadonlySet<FindingCode> = new Set([
  "registry.project-missing",
  "registry.project-not-ours",
  "registry.project-to-create",
]);

/** Of a project that is not there nothing else can be asked: whatever it answers would only say so again, and worse. */
async function findProjects(
  asking: Asking,
): Promise<{ readonly findings: readonly Finding[]; readonly there: readonly string[] }> {
  const findings: Finding[] = [];
  const there: string[] = [];
  for (const project of asking.projects) {
    const found = await ask(asking, { question: "project", project }, () => projectQuestion(asking, project));
    findings.push(...found);
    if (!found.some(({ code }) => absent.has(code))) there.push(project);
  }
  return { findings, there };
}

async function ask(asking: Asking, question: Question, answer: Answer): Promise<readonly Finding[]> {
  const { input } = asking;
  const answered = await tried(answer, input);
  if (answered instanceof Failure) return [failedQuestion(asking, question, answered)];
  if (answered.length === 0)
    input.passed?.({ subject: subjectOf(input, question.project), question: question.question });
  return answered;
}

/** The answer, or the failure that came instead of one. */
async function tried<T>(work: () => Promise<T>, { signal }: RegistryPreflightInput): Promise<T | Failure> {
  try {
    return await work();
  } catch (error) {
    signal?.throwIfAborted();
    if (!isFailure(error)) throw error;
    return error;
  }
}

async function reach({ input, probe }: Asking): Promise<Connection | Finding> {
  const answered = await tried(() => probe.connect(input.signal), input);
  return answered instanceof Failure ? unreachable(input, answered) : answered;
}

async function greet({ input, probe }: Asking): Promise<Greeting | Finding> {
  const answered = await tried(() => probe.greet(input.signal), input);
  return answered instanceof Failure ? unreachable(input, answered) : answered;
}

function unreachable({ host }: RegistryPreflightInput, failure: Failure): Finding {
  if (isFailure(failure, "REGISTRY_TLS")) return finding("error", "registry.tls", failure.facts);
  return finding("error", "registry.unreachable", { host, reason: failureInBrief(failure) });
}

async function versionOf({ input, probe }: Asking): Promise<string | undefined> {
  const info = await tried(() => probe.harbor.systemInfo(input.signal), input);
  return info instanceof Failure ? undefined : info.version;
}
