import * as z from "zod";
import { protocolFailure } from "./errors.ts";
import { pages } from "./pages.ts";
import type { Remote } from "./remote.ts";

/** `null`: distribution's way to say that the last tag was deleted. */
const TagsDocument = z.object({ tags: z.array(z.string().max(128)).nullish() });

/** All tags, sorted. A repository that is not there is REGISTRY_NOT_FOUND. */
export async function listTags(remote: Remote, signal?: AbortSignal): Promise<readonly string[]> {
  const action = `GET ${remote.name} tags`;
  const tags = new Set<string>();
  for await (const page of pages(remote, { to: remote.url("tags/list?n=1000"), action, signal })) {
    const parsed = TagsDocument.safeParse(page.document);
    if (!parsed.success) throw protocolFailure(remote.endpoint.context(action), "no list of tags");
    for (const tag of parsed.data.tags ?? []) tags.add(tag);
  }
  return [...tags].sort();
}
