import pMap from "p-map";
import { finding, type Finding } from "../../../model/finding.ts";
import { printReference, type Reference } from "../../../model/reference.ts";
import type { Asking } from "../context.ts";

/** Round trips are all that these cost; 16 is what the push uses, too. */
const questionsAtOnce = 16;

/**
 * A tag that points elsewhere and may not be moved stops the push in its middle: 412 (docs/facts/harbor.md#policies).
 */
export async function immutableQuestion(asking: Asking, project: string): Promise<readonly Finding[]> {
  const { input, probe } = asking;
  if ((await probe.harbor.immutableRules(project, input.signal)) === 0) return [];
  const tags = input.mapped.flatMap(({ item, targets }) =>
    targets
      .filter(({ repository }) => repository.startsWith(`${project}/`))
      .map((target) => ({ target, wanted: item.root.digest })),
  );
  const found = await pMap(tags, (each) => guardedTag(asking, each), { concurrency: questionsAtOnce });
  return found.flat();
}

async function guardedTag(
  { input, probe }: Asking,
  { target, wanted }: { readonly target: Reference; readonly wanted: string },
): Promise<readonly Finding[]> {
  const { repository, tag = "latest" } = target;
  const artifact = await probe.harbor.artifact(repository, tag, input.signal);
  if (artifact === undefined) return [];
  const has = artifact === "hidden" ? await probe.tag(repository, tag, input.signal) : artifact.digest;
  if (has === undefined || has === "hidden" || has === wanted) return [];
  // Without the right to see which tag is guarded, one that would be moved is only suspected.
  const severity = artifact === "hidden" ? "warning" : artifact.immutableTags.includes(tag) ? "error" : undefined;
  if (severity === undefined) return [];
  return [
    finding(severity, "registry.tag-immutable", { host: input.host, reference: printReference(target), has, wanted }),
  ];
}
