/** Harbor gives no larger ones. */
const pageSize = 100;

/**
 * What a list of Harbor's REST API holds, page by page as far as somebody reads. `load` gets the query of a page and says
 * `undefined` or `null` where there is none.
 */
export async function* pagesOf<T>(
  load: (query: string) => Promise<readonly T[] | null | undefined>,
  maxPages: number,
): AsyncGenerator<T, void, undefined> {
  for (let page = 1; page <= maxPages; page += 1) {
    const listed = (await load(`page=${page}&page_size=${pageSize}`)) ?? [];
    yield* listed;
    if (listed.length < pageSize) return;
  }
}
