import { Failure, isFailure } from "../../model/failure.ts";
import { builtInRole, type LockItem } from "../../model/lock.ts";
import { parseReference, printReference, withoutOci } from "../../model/reference.ts";
import { inRange, isOlder } from "../../model/version-range.ts";

/** A plugin of the console's own list that has a tag: the console makes URLs with tags, and never asks by digest alone. */
export function isBuiltIn({ kind, role, reference }: LockItem): boolean {
  return kind === "plugin" && role === builtInRole && parseReference(reference).tag !== undefined;
}

/** A plugin as far as URLs are made of it. */
export interface UrlPlugin {
  /** `info.name` of its spec.yaml; what `${name}` becomes. */
  readonly name: string;
  /** As the console's list has it, with or without `oci://`. */
  readonly ref: string;
  /** `info.version` of its spec.yaml; what `${version}` becomes. @default the tag, where nobody has read the spec.yaml */
  readonly version?: string | undefined;
}

/** What the console's environment says of plugin URLs; a blank value counts as none. */
export interface ConsoleEnv {
  /** HIGRESS_ADMIN_WASM_PLUGIN_CUSTOM_IMAGE_URL_PATTERN, since console 2.1.0. */
  readonly pattern?: string | undefined;
  /** HIGRESS_ADMIN_WASM_PLUGIN_IMAGE_REGISTRY, of consoles 2.1.11 and since 2.2.1. May hold a path. */
  readonly registry?: string | undefined;
  /** HIGRESS_ADMIN_WASM_PLUGIN_IMAGE_NAMESPACE, of the same. */
  readonly namespace?: string | undefined;
}

export const officialRegistry = "higress-registry.cn-hangzhou.cr.aliyuncs.com";
const patternSince = "2.1.0";
/** 2.2.0 was made before 2.1.11, which brought the registry variables. */
const registryIn = ">=2.1.11 <2.2.0 || >=2.2.1";
const mcpServerSince = "2.1.2";

/**
 * The URL that a console writes into a WasmPlugin when this plugin is switched on: `buildPluginImageUrl` of
 * WasmPluginServiceImpl, by the settings that this version of it knows.
 */
export function consoleUrl(plugin: UrlPlugin, env: ConsoleEnv, consoleVersion: string): string {
  const url = withScheme(plugin.ref);
  const pattern = isOlder(consoleVersion, patternSince) ? undefined : filled(env.pattern);
  if (pattern !== undefined)
    return pattern.replaceAll("${name}", () => plugin.name).replaceAll("${version}", () => versionOf(plugin));
  if (!inRange(consoleVersion, registryIn)) return url;
  const registry = filled(env.registry);
  const namespace = filled(env.namespace);
  if (registry === undefined && namespace === undefined) return url;
  // Only what has the form oci://registry/namespace/rest is moved; the rest keeps its real name and its real tag.
  const rest = /^oci:\/\/[^/]*\/[^/]*\/(.*)$/.exec(url)?.[1];
  return rest === undefined ? url : `oci://${registry ?? officialRegistry}/${namespace ?? "plugins"}/${rest}`;
}

/**
 * The URL that the controller gives the gateway for MCP servers out of Nacos, unless MCP_SERVER_WASM_IMAGE_URL says
 * another. It stands in the controller's code, is 1.0.0 in every release, and no CR shows it.
 */
export function controllerMcpUrl(higressVersion: string): string | undefined {
  return isOlder(higressVersion, mcpServerSince) ? undefined : `oci://${officialRegistry}/mcp-server/all-in-one:1.0.0`;
}

/** The name that the MCP server's plugin had until it became `plugins/mcp-server`; releases in the field still run it. */
export function isFormerMcpServer(url: string): boolean {
  return /^(oci:\/\/)?[^/]+\/mcp-server\/all-in-one[:@]/i.test(url);
}

/** What is carried, and how the consoles that will ask for it are set. */
export interface AliasTarget {
  readonly consoleVersion: string;
  /** URL patterns that the site's console will be given; `{prefix}` stands for where the plugins' registry will be. */
  readonly patterns?: readonly string[] | undefined;
}

/**
 * References, besides its own, under which each plugin must answer, so that nothing a console of this version can ask for
 * is a 404: its real tag and its `info.version`, under its repository and under its `info.name`, and what the patterns make
 * of it (they put every plugin into one folder, whatever folder it comes from). A reference that is another plugin's own
 * stays that plugin's.
 * @returns by plugin name, sorted
 */
export function aliases(plugins: readonly UrlPlugin[], target: AliasTarget): ReadonlyMap<string, readonly string[]> {
  const taken = new Set(plugins.map(({ ref }) => normal(ref)));
  const planned = new Map<string, readonly string[]>();
  for (const plugin of plugins) {
    const asked = askedFor(plugin, target);
    const wanted = [...variants(plugin), ...asked.flatMap(asReference)];
    const free = [...new Set(wanted)].filter((reference) => !taken.has(reference)).sort();
    for (const reference of free) taken.add(reference);
    planned.set(plugin.name, free);
  }
  return planned;
}

function askedFor(plugin: UrlPlugin, { consoleVersion, patterns = [] }: AliasTarget): readonly string[] {
  const { registry } = parseReference(plugin.ref);
  // A console that knows registry and namespace is given them, and so puts a plugin of any folder into the one for plugins.
  const settings = [
    { registry },
    ...patterns.map((pattern) => ({ pattern: pattern.replaceAll("{prefix}", () => registry) })),
  ];
  return settings.map((env) => consoleUrl(plugin, env, consoleVersion)).filter((url) => withoutOci(url) !== url);
}

function variants(plugin: UrlPlugin): readonly string[] {
  const { registry, repository, tag } = parseReference(plugin.ref);
  const renamed = [...repository.split("/").slice(0, -1), plugin.name].join("/");
  const versions = [tag, plugin.version].filter((version) => version !== undefined);
  return [repository, renamed].flatMap((path) =>
    versions.flatMap((version) => asReference(`${registry}/${path}:${version}`)),
  );
}

/** An `info.version` or a pattern may be no reference at all; then nobody can ask a registry for it either. */
function asReference(text: string): readonly string[] {
  try {
    return [normal(text)];
  } catch (error) {
    if (isFailure(error, "REFERENCE_INVALID")) return [];
    throw error;
  }
}

const normal = (text: string): string => printReference(parseReference(text));
const withScheme = (ref: string): string => (/^[a-z][a-z0-9+.-]*:\/\//i.test(ref) ? ref : `oci://${ref}`);
const filled = (text: string | undefined): string | undefined =>
  text === undefined || text.trim() === "" ? undefined : text;

function versionOf({ name, ref, version }: UrlPlugin): string {
  const known = version ?? parseReference(ref).tag;
  if (known === undefined)
    throw new Failure("PLUGIN_UNUSABLE", { plugin: name, why: "neither info.version nor a tag" });
  return known;
}
