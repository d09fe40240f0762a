import { isFailure, type Failure } from "../../model/failure.ts";
import { finding, type ClusterQuestion, type Finding } from "../../model/finding.ts";
import { wasmPluginResource } from "../../model/wasm-plugin.ts";
import { askCapacity, askNodes } from "./nodes.ts";
import { askOwners, type ClusterPreflightInput, type PreflightPort } from "./input.ts";
import { askRights } from "./rights.ts";
import * as ask from "./surroundings.ts";

type Question = readonly [name: ClusterQuestion, answer: () => Promise<readonly Finding[]>];

/**
 * Asks the cluster everything before anything changes. A question that cannot be answered becomes a finding of its own
 * and never hides another; only a server that does not answer at all ends it.
 */
export async function preflightCluster(input: ClusterPreflightInput, port: PreflightPort): Promise<readonly Finding[]> {
  let version: Finding;
  try {
    version = finding("note", "cluster.version", { version: (await port.version(input.signal)).server });
  } catch (error) {
    if (!isFailure(error)) throw error;
    const reason = reasonOf(error);
    return [finding("error", "cluster.unreachable", { server: serverIn(reason), reason })];
  }
  const asked = questions(input, port);
  const answers = await Promise.all(asked.map(answered));
  asked.forEach(([question], at) => {
    if (answers[at]?.length === 0) input.passed?.(question);
  });
  // Two questions may need the same right.
  const unique = new Map(answers.flat().map((found) => [JSON.stringify(found), found]));
  return [version, ...unique.values()];
}

function questions(input: ClusterPreflightInput, port: PreflightPort): readonly Question[] {
  const { namespace, signal } = input;
  const list = <T>(resource: string, more: object = {}): Promise<readonly T[]> =>
    port.list<T>({ resource, signal, ...more });
  const everywhere = { allNamespaces: true };
  const nodes = list<Parameters<typeof askNodes>[0][number]>("nodes");
  // Two questions await the list of nodes and tell its failure; before they do, Node would take it for unhandled.
  nodes.catch(() => undefined);
  return [
    ["rights", () => askRights(input, port)],
    ["nodes", async () => askNodes(await nodes, input)],
    ["capacity", async () => askCapacity(await nodes, input)],
    ["storage classes", async () => ask.askStorage(await list("storageclasses.storage.k8s.io"), input)],
    ["services", async () => ask.askLoadBalancer(await list("services", everywhere), input)],
    ["ingress classes", async () => ask.askIngressClasses(await list("ingressclasses.networking.k8s.io"), input)],
    ["CRDs", async () => ask.askCrds(await crds(input, port), input)],
    ["other meshes", async () => ask.askOthers(await list("deployments.apps", everywhere), input)],
    ["plugins", async () => ask.askLeftovers(await list(wasmPluginResource, { namespace }), input)],
    ["owners", () => owners(input)],
    ["release", () => ask.askRelease(input)],
  ];
}

async function owners({ newReleases = [], standing }: ClusterPreflightInput): Promise<readonly Finding[]> {
  const asked = newReleases.map(async (release) => askOwners(release, (await standing?.(release)) ?? []));
  return (await Promise.all(asked)).flat();
}

/** With managed fields: they say who set the schema. */
function crds({ signal }: ClusterPreflightInput, port: PreflightPort): Promise<readonly ask.LiveCrd[]> {
  return port.list({ resource: "customresourcedefinitions.apiextensions.k8s.io", managedFields: true, signal });
}

async function answered([name, answer]: Question): Promise<readonly Finding[]> {
  try {
    return await answer();
  } catch (error) {
    if (!isFailure(error)) throw error;
    if (error.code === "CLUSTER_FORBIDDEN") return [forbidden(name, reasonOf(error))];
    return [finding("warning", "cluster.not-asked", { question: name, why: reasonOf(error) })];
  }
}

/** The right that lacks, by the API server's own words (https://kubernetes.io/docs/reference/access-authn-authz/authorization/). */
function forbidden(question: ClusterQuestion, why: string): Finding {
  const [, verb, resource, group] =
    /cannot (\w{1,30}) resource "([^"]{1,100})" in API group "([^"]{0,100})"/.exec(why) ?? [];
  if (verb === undefined || resource === undefined) return finding("warning", "cluster.not-asked", { question, why });
  const kind = group === undefined || group === "" ? resource : `${resource}.${group}`;
  return finding("warning", "cluster.forbidden", { verb, resource: kind, namespace: "" });
}

/** kubectl names the server in most of its words; the kubeconfig is not ours to read. */
function serverIn(reason: string): string {
  return /(?:https?:\/\/|server )([A-Za-z0-9.-]{1,253}:\d{1,5})/.exec(reason)?.[1] ?? "?";
}

function reasonOf(error: Failure): string {
  const { output } = error.facts as { output?: string };
  return output ?? error.code;
}
