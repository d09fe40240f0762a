import { deniedBecause } from "../../model/denied.ts";
import { Failure, isFailure } from "../../model/failure.ts";
import { printBytes } from "../../std/bytes.ts";

/** What Harbor's own API can say about a broken line; its client fits. */
export interface TargetState {
  systemInfo(signal?: AbortSignal): Promise<{ readonly readOnly: boolean | undefined }>;
  project(name: string, signal?: AbortSignal): Promise<{ readonly isProxy: boolean } | "missing" | "hidden">;
  quota(project: string, signal?: AbortSignal): Promise<{ readonly hard: number; readonly used: number } | undefined>;
}

/**
 * Harbor refuses before it has read the body, and the answer is lost when the connection is reset under the sender
 * (docs/facts/harbor.md#quota-answer-is-lost). So a broken line is not believed before Harbor was asked.
 * @returns the refusal that was lost; `undefined` when Harbor has nothing against us, or cannot be asked
 */
export async function lostRefusal(
  broken: unknown,
  left: () => Promise<ReadonlyMap<string, number>>,
  state: TargetState,
  signal?: AbortSignal,
): Promise<Failure | undefined> {
  if (!isFailure(broken, "REGISTRY_UNREACHABLE", "REGISTRY_STALLED")) return undefined;
  const { host, action } = broken.facts;
  try {
    const answer = await refusal(await left(), state, signal);
    if (answer === undefined) return undefined;
    return new Failure(
      "REGISTRY_DENIED",
      { host, action, answer, because: deniedBecause(answer) },
      { side: "target", cause: broken },
    );
  } catch (error) {
    signal?.throwIfAborted();
    if (!isFailure(error)) throw error;
    // It does not answer at all: then the broken line was just that.
    return undefined;
  }
}

async function refusal(
  left: ReadonlyMap<string, number>,
  state: TargetState,
  signal?: AbortSignal,
): Promise<string | undefined> {
  if ((await state.systemInfo(signal)).readOnly === true) return "DENIED read_only: true";
  for (const [project, bytes] of left) {
    const seen = await state.project(project, signal);
    if (typeof seen === "object" && seen.isProxy) return `DENIED ${project}: proxy project`;
    const quota = await state.quota(project, signal);
    if (quota === undefined || quota.hard < 0 || quota.used + bytes <= quota.hard) continue;
    return `DENIED ${project}: quota ${printBytes(quota.hard)}, used ${printBytes(quota.used)}, wanted ${printBytes(bytes)}`;
  }
  return undefined;
}

/**
 * Harbor answers 401 without a word to who asks for something in a project that is not there
 * (docs/facts/harbor.md#unknown-project-is-401).
 * @returns the failure that says so; `undefined` when all projects are there, or may not be asked for
 */
export async function missingProject(
  refused: unknown,
  projects: ReadonlySet<string>,
  state: Pick<TargetState, "project">,
  signal?: AbortSignal,
): Promise<Failure | undefined> {
  if (!isFailure(refused, "REGISTRY_UNAUTHORIZED")) return undefined;
  const { host, action } = refused.facts;
  try {
    for (const project of projects)
      if ((await state.project(project, signal)) === "missing")
        return new Failure(
          "REGISTRY_NOT_FOUND",
          { host, action, answer: `project ${project}` },
          { side: "target", cause: refused },
        );
  } catch (error) {
    signal?.throwIfAborted();
    if (!isFailure(error)) throw error;
  }
  return undefined;
}
