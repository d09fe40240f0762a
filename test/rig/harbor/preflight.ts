import type { Finding } from "../../../src/model/finding.ts";
import type { RegistryPreflightInput } from "../../../src/stages/preflight-registry/context.ts";
import { preflightRegistry, type PreflightResult } from "../../../src/stages/preflight-registry/preflight.ts";
import { mapItems } from "../../../src/stages/relocate/mapping.ts";
import { anImage } from "../graph.ts";
import { aLockItem } from "../lock-item.ts";
import { probeOf, type AccessOptions, type Place } from "./access.ts";
import type { Identity } from "./state.ts";

const image = anImage();
export const pusher: Identity = {
  name: "robot$p+push",
  secret: "planted-secret-of-the-pusher",
  projects: { p: ["pull", "push"] },
};
export const puller: Identity = {
  name: "robot$p+pull",
  secret: "planted-secret-of-the-puller",
  projects: { p: ["pull"] },
};

/** Known, and a member of no project. */
export const stranger: Identity = { name: "stranger", secret: "planted-secret-of-a-stranger" };

export interface Run {
  readonly as?: Identity | "nobody" | undefined;
  readonly pull?: Identity | undefined;
  readonly input?: Partial<RegistryPreflightInput>;
  readonly at: Place;
  readonly access?: AccessOptions;
  readonly stallSeconds?: number;
}

/** Asks `at` everything, as `as`, for a cluster that pulls as `pull`. */
export async function preflight(run: Run): Promise<PreflightResult> {
  const { as = pusher, pull = puller, input = {}, at, access, stallSeconds } = run;
  await using probe = probeOf(at, as === "nobody" ? undefined : as, { ...access, stallSeconds });
  await using eyes = probeOf(at, pull, { ...access, stallSeconds });
  const options = { registry: at.host, project: "p", templates: {} };
  const { mapped } = mapItems([aLockItem("r.io/a/gateway:1", image)], options);
  return await preflightRegistry(
    {
      host: at.host,
      plainHttp: false,
      insecure: false,
      as: as === "nobody" ? "anonymous" : as.name,
      mapped,
      largestBlob: 2 * 1024 ** 2,
      createProject: false,
      pull: Object.assign(eyes, { as: pull.name }),
      now: () => Date.now(),
      ...input,
    },
    probe,
  );
}
/** Severity and code of each, sorted. */
export const codes = (findings: readonly Finding[]): string[] =>
  findings.map(({ code, severity }) => `${severity} ${code}`).sort();
export const factsOf = (findings: readonly Finding[], code: string): unknown =>
  findings.find((each) => each.code === code)?.facts;
