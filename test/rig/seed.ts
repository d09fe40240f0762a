import { copyGraph } from "./copy-graph.ts";
import { parseReference } from "../../src/model/reference.ts";
import { aStore, asContent, bytesOf, type Graph } from "./builders/graph.ts";
import { aClient, type ClientOptions } from "./client.ts";

/** Puts content under its public names into a registry that stands in for the public one: the path is kept, the host is not. */
export async function seed(
  origin: string,
  content: Readonly<Record<string, Graph>>,
  options: Omit<ClientOptions, "origins"> = {},
): Promise<void> {
  await using client = aClient({ origins: [origin], ...options });
  for (const [name, graph] of Object.entries(content)) {
    const reference = parseReference(name);
    const repository = client.registry.repository(reference.repository);
    await copyGraph(aStore(graph), repository, asContent(graph));
    await repository.tag(graph.root, bytesOf(graph), reference.tag ?? "latest");
  }
}
