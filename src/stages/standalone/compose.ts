import { finding, type Finding } from "../../model/finding.ts";
import { shellWord, yamlText, composeText } from "../../std/shell-word.ts";
import { environmentOf, isCarriable, type KitPlugin } from "./environment.ts";
import type { KitFile, StandaloneKit, Container, Mount } from "./container.ts";

/**
 * Images of the higress-standalone compose set (docs/facts/higress.md#standalone-compose), and whether it starts
 * without them.
 */
const services: Readonly<Record<string, "needed" | "optional">> = {
  "api-server": "needed",
  higress: "needed",
  pilot: "needed",
  gateway: "needed",
  console: "needed",
  "plugin-server": "needed",
  runner: "needed",
  "nacos-server": "optional",
  prometheus: "optional",
  promtail: "optional",
  loki: "optional",
  grafana: "optional",
};

/** The service of the set that hands out plugins, as its other services call it. */
const pattern = "http://plugin-server:8080/plugins/${name}/${version}/plugin.wasm";

export interface ComposeSetInput {
  readonly carried: readonly KitPlugin[];
  /** Archives beside load.sh. */
  readonly archives: readonly string[];
  /** The directory beside load.sh that `exportPluginTree` wrote. */
  readonly directory: string;
  readonly engine?: "docker" | "podman" | undefined;
}

export function isOfComposeSet(repository: string): boolean {
  return Object.hasOwn(services, serviceOf(repository));
}

/** Services that cannot start from what is carried. `beside`: where the images of Higress are, registry and path. */
export function missingServices(repositories: readonly string[], beside: string): readonly Finding[] {
  const there = new Set(repositories.map(serviceOf));
  return Object.entries(services)
    .filter(([name, need]) => need === "needed" && !there.has(name))
    .map(([name]) => finding("error", "standalone.service-missing", { image: `${beside}/${name}:TAG` }));
}

/**
 * For the set of containers that the user has as files: its images, and the variables and mounts that keep its plugins
 * inside. The set itself is not ours to write.
 */
export function composeSetKit({ carried, archives, directory, engine = "docker" }: ComposeSetInput): StandaloneKit {
  const { variables, findings } = environmentOf({ plugins: { from: "url", pattern }, carried });
  const names = [...new Set(carried.filter(isCarriable).map(({ name }) => name))].sort();
  const files: KitFile[] = [
    { name: "load.sh", text: loadScript(archives, engine), mode: 0o755 },
    { name: "compose.env", text: composeVariables(variables), mode: 0o644 },
    { name: "compose.override.yaml", text: overrideFile(names, directory), mode: 0o644 },
  ];
  return { files, findings };
}

const serviceOf = (repository: string): string => repository.slice(repository.lastIndexOf("/") + 1);

function loadScript(archives: readonly string[], engine: string): string {
  return [
    "#!/bin/sh",
    "set -eu",
    'cd "$(dirname "$0")"',
    `engine=\${ENGINE:-${engine}}`,
    ...archives.map((archive) => `"$engine" load --input ${shellWord(archive)}`),
    "",
  ].join("\n");
}

/**
 * Each carried plugin over the server's own, which stay for those that are not carried. Compose takes paths relative to
 * the first file that it is given, which is not ours: hence the variable.
 */
function overrideFile(names: readonly string[], directory: string): string {
  const mount = (name: string): string =>
    yamlText(`\${HIGRESS_KIT:?}/${directory}/plugins/${name}:/usr/share/nginx/html/plugins/${name}:ro,z`);
  const volumes = names.length === 0 ? "    volumes: []" : "    volumes:";
  return ["services:", "  plugin-server:", volumes, ...names.map((name) => `      - ${mount(name)}`), ""].join("\n");
}

const scalar = (text: string): string => yamlText(composeText(text));

/** The same container for those who start everything with Compose. */
export function composeFile({ image, name, variables, ports, mounts }: Container): string {
  return [
    "services:",
    "  higress:",
    `    image: ${scalar(image)}`,
    `    container_name: ${scalar(name)}`,
    "    restart: unless-stopped",
    "    environment:",
    ...[...variables].map(([key, value]) => `      ${key}: ${scalar(value)}`),
    "    ports:",
    ...ports.map(([host, inside]) => `      - ${scalar(`${host}:${inside}`)}`),
    "    volumes:",
    ...mounts.map((mount) => `      - ${scalar(volume(mount))}`),
    "",
  ].join("\n");
}

function volume({ from, to, readOnly }: Mount): string {
  return `${from.startsWith("/") ? from : `./${from}`}:${to}:${readOnly ? "ro,z" : "z"}`;
}

/** Lines for the `.env` of the higress-standalone compose set. */
export function composeVariables(variables: ReadonlyMap<string, string>): string {
  return [...variables].map(([key, value]) => `${key}=${composeText(value)}\n`).join("");
}
