import type { Deployment } from "kubernetes-types/apps/v1.js";
import type { LockItem } from "../model/lock.ts";
import { urlPatternVariable } from "../model/url-pattern.ts";
import type { UrlQuestion } from "../stages/check/check.ts";
import { consoleUrl, controllerMcpUrl, isBuiltIn, type ConsoleEnv } from "../stages/plugins/urls.ts";

const variables = {
  pattern: urlPatternVariable,
  registry: "HIGRESS_ADMIN_WASM_PLUGIN_IMAGE_REGISTRY",
  namespace: "HIGRESS_ADMIN_WASM_PLUGIN_IMAGE_NAMESPACE",
} as const;
const mcpVariable = "MCP_SERVER_WASM_IMAGE_URL";

export interface Release {
  readonly version: string;
  readonly items: readonly LockItem[];
  /** The plugin behind the controller's MCP servers. */
  readonly mcpServer: string | undefined;
}

/**
 * Every URL of a carried plugin that the installed console and controller can write, by what stands in their environment
 * now: somebody may have changed it since. Plugins that the spec left out are not asked for.
 */
export function consoleUrls(deployments: readonly Deployment[], release: Release): readonly UrlQuestion[] {
  return deployments.flatMap((deployment) => {
    const name = deployment.metadata?.name ?? "";
    const env = environmentOf(deployment);
    const where = `Deployment ${name}`;
    if (name === "higress-console" || variables.registry in env || variables.pattern in env)
      return fromConsole(where, env, release);
    return name === "higress-controller" || mcpVariable in env ? fromController(where, env, release) : [];
  });
}

type Environment = Readonly<Record<string, string>>;

/** What is taken from a Secret or a field is not ours to read. */
function environmentOf({ spec }: Deployment): Environment {
  const containers = spec?.template.spec?.containers ?? [];
  return Object.fromEntries(
    containers.flatMap(({ env = [] }) =>
      env.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]])),
    ),
  );
}

function fromConsole(where: string, env: Environment, { items, version }: Release): readonly UrlQuestion[] {
  const settings: ConsoleEnv = {
    pattern: env[variables.pattern],
    registry: env[variables.registry],
    namespace: env[variables.namespace],
  };
  const path = env[variables.pattern] === undefined ? variables.registry : variables.pattern;
  return items.filter(isBuiltIn).map(({ name, reference, version: info, root }) => {
    const url = consoleUrl({ name, ref: reference, version: info ?? "1.0.0" }, settings, version);
    return { plugin: name, url, digest: root.digest, where, path: `env/${path}` };
  });
}

function fromController(
  where: string,
  env: Environment,
  { items, version, mcpServer }: Release,
): readonly UrlQuestion[] {
  const item = items.find(({ kind, name }) => kind === "plugin" && name === mcpServer);
  const url = env[mcpVariable] ?? controllerMcpUrl(version);
  if (item === undefined || url === undefined) return [];
  return [{ plugin: item.name, url, digest: item.root.digest, where, path: `env/${mcpVariable}` }];
}
