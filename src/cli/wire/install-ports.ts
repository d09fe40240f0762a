import { readFile } from "node:fs/promises";
import { readChart } from "../../edge/charts/read.ts";
import { hashRanges } from "../../edge/disk/hash-ranges.ts";
import { parseRelocationMap } from "../../edge/files/config.ts";
import { temporaryFile } from "../../edge/files/temporary.ts";
import type { Helm } from "../../edge/process/helm.ts";
import { openHelm } from "../../edge/process/helm.ts";
import { openKubectl, type Kubectl } from "../../edge/process/kubectl.ts";
import type { Registry } from "../../edge/registry/registry.ts";
import { Failure } from "../../model/failure.ts";
import type { Site } from "../../model/site.ts";
import type { InstallPorts } from "../../pipeline/install-ports.ts";
import type { Values } from "../../stages/relocate/relocate.ts";
import { verifyBundle } from "../../stages/verify/verify.ts";
import { loadTyped } from "../../std/yaml.ts";
import type { Context } from "../context.ts";
import { text, type Flags } from "../define.ts";
import { pullSecretOf } from "./target.ts";
import { findTool } from "./tools.ts";

export interface ClusterTools {
  readonly helm: Helm;
  readonly kubectl: Kubectl;
}

/** helm and kubectl for the site's cluster: flags first, then the site file, then what is found. */
export async function openTools(flags: Flags, site: Site, context: Context): Promise<ClusterTools> {
  const kubeconfig = text(flags, "kubeconfig") ?? site.cluster.kubeconfig ?? context.env["KUBECONFIG"];
  const name = text(flags, "context") ?? site.cluster.context;
  const options = {
    env: context.env,
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    ...(name === undefined ? {} : { context: name }),
  };
  const helm = await findTool("helm", text(flags, "helm") ?? site.cluster.helm, context);
  const kubectl = await findTool("kubectl", text(flags, "kubectl") ?? site.cluster.kubectl, context);
  return { helm: await openHelm(helm, options), kubectl: await openKubectl(kubectl, options) };
}

export async function installPorts(
  site: Site,
  registry: Registry,
  tools: ClusterTools,
  context: Context,
): Promise<InstallPorts> {
  return {
    verify: async (bundle) => {
      const hashing = {
        hashRanges: (ranges: Parameters<typeof hashRanges>[1], onBytes: (bytes: number) => void) =>
          hashRanges(bundle.source, ranges, { onBytes, signal: context.signal }),
      };
      return (await verifyBundle(bundle, hashing, { signal: context.signal, report: context.reporter.report }))
        .findings;
    },
    preflight: () => Promise.resolve([]),
    target: registry,
    pushOptions: {},
    helm: tools.helm,
    cluster: tools.kubectl,
    withFile: async (name, bytes, use) => {
      await using file = await temporaryFile(name, bytes);
      return await use(file.path);
    },
    parseRelocation: parseRelocationMap,
    userValues: await readValues(site),
    chartCrds: async (archive) => (await readChart(archive, "chart")).crds.map((crd) => crd.text),
    pullSecret: await pullSecretOf(site, context),
    ca: await readCa(site),
  };
}

export async function readValues(site: Site): Promise<readonly Values[]> {
  return Promise.all(site.valuesFiles.map(async (path) => (loadTyped(await read(path))[0] ?? {}) as Values));
}

async function readCa(site: Site): Promise<string | undefined> {
  return site.registry.ca === undefined || site.registry.plainHttp ? undefined : read(site.registry.ca);
}

async function read(path: string): Promise<string> {
  return readFile(path, "utf8").catch((cause: unknown) => {
    throw new Failure("FILE_MISSING", { path }, { cause });
  });
}
