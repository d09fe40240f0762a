import { isFailure, type Failure } from "../../model/failure.ts";
import { finding, type Finding, type RegistryKind, type RegistryQuestion } from "../../model/finding.ts";
import { notAsked, projectsOf, type Asking, type PreflightInput, type Question } from "./context.ts";
import { kindOf } from "./kind.ts";
import type { Connection, Greeting, RegistryProbe } from "./ports.ts";
import { credentialsQuestion, pullQuestion, pushQuestion } from "./questions/account.ts";
import { clockQuestion, realmQuestion, redirectQuestion, tlsQuestion } from "./questions/door.ts";
import { projectQuestion, quotaQuestion } from "./questions/project.ts";
import { healthQuestion, readOnlyQuestion } from "./questions/system.ts";
import { immutableQuestion } from "./questions/tags.ts";
import { uploadQuestion, writeQuestion } from "./questions/upload.ts";

export interface PreflightResult {
  readonly findings: readonly Finding[];
  readonly kind: RegistryKind;
  readonly harborVersion?: string | undefined;
}

/**
 * Asks every question that a push could fail on, and changes nothing. All findings come in one run: a question that
 * cannot be asked becomes a finding itself, and never hides another.
 */
export async function preflightRegistry(input: PreflightInput, probe: RegistryProbe): Promise<PreflightResult> {
  const asking: Asking = { input, probe, projects: projectsOf(input) };
  const connection = await reach(asking);
  if ("code" in connection) return { findings: [connection], kind: "unknown" };
  const door = await ask(asking, { question: "tls" }, () => tlsQuestion(asking, connection));
  const distrusted = door.some(({ code }) => code === "registry.tls");
  // Nothing that matters is sent over a line that is not trusted, so all else has to wait for the CA.
  if (distrusted) return { findings: [...door, notAsked(asking, { question: "all" }, "TLS")], kind: "unknown" };
  const greeting = await greet(asking);
  if ("code" in greeting) return { findings: [...door, greeting], kind: "unknown" };
  const answersApi = await probe.harbor.ping(input.signal).catch(() => false);
  const kind = kindOf(greeting, answersApi);
  const version = kind === "harbor" ? await versionOf(asking) : undefined;
  const findings = [
    ...door,
    ...redirectQuestion(asking, greeting),
    ...realmQuestion(asking, greeting),
    ...clockQuestion(asking, greeting),
    kind === "harbor"
      ? finding("note", "registry.harbor", { host: input.host, version: version ?? "?" })
      : finding("note", "registry.not-harbor", { host: input.host, kind }),
    ...(greeting.redirect === undefined
      ? await inside(asking, kind)
      : [notAsked(asking, { question: "all" }, "redirect")]),
  ];
  return { findings, kind, harborVersion: version };
}

/** In this order, and left out of every other kind. */
const harborOnly: readonly RegistryQuestion[] = ["project", "quota", "read-only", "health", "immutable"];

type Answer = () => Promise<readonly Finding[]>;

async function inside(asking: Asking, kind: RegistryKind): Promise<readonly Finding[]> {
  const isHarbor = kind === "harbor";
  const credentials = await ask(asking, { question: "credentials" }, () => credentialsQuestion(asking));
  const found = isHarbor ? await findProjects(asking) : { findings: [], there: asking.projects };
  const { there } = found;
  const each = (question: RegistryQuestion, answer: (asking: Asking, project: string) => Promise<readonly Finding[]>) =>
    there.map((project): [Question, Answer] => [{ question, project }, () => answer(asking, project)]);
  const questions: readonly [Question, Answer][] = [
    ...each("push", pushQuestion),
    ...each("pull", pullQuestion),
    ...(isHarbor ? each("quota", quotaQuestion) : []),
    ...(isHarbor ? ofTheSystem(asking) : []),
    ...(isHarbor ? each("immutable", immutableQuestion) : []),
    ...(isHarbor ? [uploadOnce(asking, there)] : each("upload", writeQuestion)),
  ];
  const answers: Finding[] = [...credentials, ...found.findings];
  // In turn: Harbor locks an account for a moment after a wrong password, and answers others late (facts: harbor §1).
  for (const [question, answer] of questions) answers.push(...(await ask(asking, question, answer)));
  if (!isHarbor) answers.push(...harborOnly.map((question) => notAsked(asking, { question }, "harbor-only")));
  return answers;
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

/** Of a project that is not there nothing else can be asked: whatever it answers would only say so again, and worse. */
async function findProjects(
  asking: Asking,
): Promise<{ readonly findings: readonly Finding[]; readonly there: readonly string[] }> {
  const findings: Finding[] = [];
  const there: string[] = [];
  for (const project of asking.projects) {
    const found = await ask(asking, { question: "project", project }, () => projectQuestion(asking, project));
    findings.push(...found);
    if (!found.some(({ code }) => code === "registry.project-missing" || code === "registry.project-to-create"))
      there.push(project);
  }
  return { findings, there };
}

/** A question that breaks is reported as not asked, with the registry's own reason. */
async function ask(asking: Asking, question: Question, answer: Answer): Promise<readonly Finding[]> {
  try {
    return await answer();
  } catch (error) {
    asking.input.signal?.throwIfAborted();
    if (!isFailure(error)) throw error;
    return [notAsked(asking, question, reasonOf(error))];
  }
}

function reasonOf(failure: Failure): string {
  const facts = failure.facts as Readonly<Record<string, unknown>>;
  const words = [facts["status"], facts["reason"], facts["answer"], facts["why"]].filter(
    (each) => each !== undefined && each !== "",
  );
  return [failure.code, ...words.map(String)].join(" ").slice(0, 200);
}

async function reach({ input, probe }: Asking): Promise<Connection | Finding> {
  try {
    return await probe.connect(input.signal);
  } catch (error) {
    return unreachable(input, error);
  }
}

async function greet({ input, probe }: Asking): Promise<Greeting | Finding> {
  try {
    return await probe.greet(input.signal);
  } catch (error) {
    return unreachable(input, error);
  }
}

function unreachable({ host, signal }: PreflightInput, error: unknown): Finding {
  signal?.throwIfAborted();
  if (!isFailure(error)) throw error;
  return finding("error", "registry.unreachable", { host, reason: reasonOf(error) });
}

async function versionOf({ input, probe }: Asking): Promise<string | undefined> {
  try {
    return (await probe.harbor.systemInfo(input.signal)).version;
  } catch (error) {
    if (!isFailure(error)) throw error;
    return undefined;
  }
}
