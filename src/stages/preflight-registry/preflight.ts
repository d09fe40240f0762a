import { isFailure, type Failure } from "../../model/failure.ts";
import { finding, type Finding } from "../../model/finding.ts";
import { notAsked, projectsOf, type Asking, type PreflightInput } from "./context.ts";
import { kindOf, type RegistryKind } from "./kind.ts";
import type { Connection, Greeting, RegistryProbe } from "./ports.ts";
import { credentialsQuestion, pullQuestion, pushQuestion } from "./questions/account.ts";
import { clockQuestion, realmQuestion, redirectQuestion, tlsQuestion } from "./questions/door.ts";
import { projectQuestion, quotaQuestion } from "./questions/project.ts";
import { healthQuestion, readOnlyQuestion } from "./questions/system.ts";
import { immutableQuestion } from "./questions/tags.ts";
import { uploadQuestion } from "./questions/upload.ts";

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
  const door = await ask(asking, "tls", () => tlsQuestion(asking, connection));
  const distrusted = door.some(({ code }) => code === "registry.tls");
  // Nothing that matters is sent over a line that is not trusted, so all else has to wait for the CA.
  if (distrusted) return { findings: [...door, notAsked(asking, "registry", "TLS")], kind: "unknown" };
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
      : finding("warning", "registry.not-harbor", { host: input.host, kind }),
    ...(greeting.redirect === undefined ? await inside(asking, kind) : [notAsked(asking, "registry", "redirect")]),
  ];
  return { findings, kind, harborVersion: version };
}

interface Question {
  readonly name: string;
  readonly ask: () => Promise<readonly Finding[]>;
  readonly harborOnly?: boolean;
}

async function inside(asking: Asking, kind: RegistryKind): Promise<readonly Finding[]> {
  const { projects } = asking;
  const perProject = (
    name: string,
    question: (asking: Asking, project: string) => Promise<readonly Finding[]>,
    harborOnly = false,
  ): readonly Question[] =>
    projects.map((project) => ({ name: `${name} ${project}`, ask: () => question(asking, project), harborOnly }));
  const questions: readonly Question[] = [
    { name: "credentials", ask: () => credentialsQuestion(asking) },
    ...perProject("push", pushQuestion),
    ...perProject("pull", pullQuestion),
    ...perProject("project", projectQuestion, true),
    ...perProject("quota", quotaQuestion, true),
    { name: "read-only", ask: () => readOnlyQuestion(asking), harborOnly: true },
    { name: "health", ask: () => healthQuestion(asking), harborOnly: true },
    { name: "immutable tags", ask: () => immutableQuestion(asking), harborOnly: true },
    ...perProject("upload", uploadQuestion),
  ];
  const answers: Finding[] = [];
  // In turn: Harbor locks an account for a moment after a wrong password, and answers others late (facts: harbor §1).
  for (const { name, ask: question, harborOnly } of questions) {
    if (harborOnly === true && kind !== "harbor") answers.push(notAsked(asking, name, kind));
    else answers.push(...(await ask(asking, name, question)));
  }
  return answers;
}

/** A question that breaks is reported as not asked, with the registry's own reason. */
async function ask(
  asking: Asking,
  name: string,
  question: () => Promise<readonly Finding[]>,
): Promise<readonly Finding[]> {
  try {
    return await question();
  } catch (error) {
    asking.input.signal?.throwIfAborted();
    if (!isFailure(error)) throw error;
    return [notAsked(asking, name, reasonOf(error))];
  }
}

function reasonOf(failure: Failure): string {
  const facts = failure.facts as Readonly<Record<string, unknown>>;
  const words = [facts["status"], facts["reason"], facts["answer"], facts["why"]].filter((each) => each !== undefined);
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
