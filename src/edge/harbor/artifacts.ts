import * as z from "zod";
import { isDigest, type Digest } from "../../model/digest.ts";
import type { HarborHttp } from "./http.ts";

const ArtifactDocument = z.object({
  digest: z.string(),
  type: z.string().max(100).nullish(),
  size: z.number().nullish(),
  tags: z.array(z.object({ name: z.string(), immutable: z.boolean().nullish() })).nullish(),
});

export interface HarborArtifact {
  readonly digest: Digest;
  /** `IMAGE`, `CHART`, `WASM`, `UNKNOWN`: what the portal shows. */
  readonly type: string;
  readonly size: number;
  /** Tags that may not be moved. */
  readonly immutableTags: readonly string[];
}

/**
 * The artifact behind a tag or digest. No pull policy blocks this call, so it is how a push is verified where HEAD is
 * 412 (docs/facts/harbor.md#verifying-a-push). `undefined`: there is none, or "hidden": we may not see it.
 */
export async function findArtifact(
  http: HarborHttp,
  repository: string,
  pointer: string,
  signal?: AbortSignal,
): Promise<HarborArtifact | "hidden" | undefined> {
  const call = { method: "GET", path: artifactPath(repository, pointer), signal } as const;
  const answer = await http.ask(call, [200, 401, 403, 404]);
  if (answer.status !== 200) return answer.status === 404 ? undefined : "hidden";
  const { digest, type, size, tags } = await http.parse(call, ArtifactDocument, answer);
  if (!isDigest(digest)) return "hidden";
  const immutable = (tags ?? []).filter((tag) => tag.immutable === true).map(({ name }) => name);
  return { digest, type: type ?? "UNKNOWN", size: size ?? 0, immutableTags: immutable };
}

/**
 * Without the project, and encoded twice: nginx and the router decode once each
 * (docs/facts/harbor.md#repository-names).
 */
function artifactPath(repository: string, pointer: string): string {
  const slash = repository.indexOf("/");
  const project = encodeURIComponent(repository.slice(0, slash));
  const name = encodeURIComponent(encodeURIComponent(repository.slice(slash + 1)));
  return `/api/v2.0/projects/${project}/repositories/${name}/artifacts/${encodeURIComponent(pointer)}?with_tag=true&with_immutable_status=true`;
}
