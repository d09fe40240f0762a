import { hasErrors } from "../../model/finding.ts";
import { shellWord } from "../../std/shell-word.ts";
import { composeFile, composeVariables } from "./compose.ts";
import type { Container, KitFile, Mount, StandaloneKit } from "./container.ts";
import { caDirectory, environmentOf, isCarriable, type EnvironmentInput, helmValues } from "./environment.ts";

export interface StandaloneInput extends EnvironmentInput {
  /** The all-in-one image, as it is called once it is loaded. */
  readonly image: string;
  /** Image archives beside run.sh, which it loads. */
  readonly archives: readonly string[];
  /** @default docker */
  readonly engine?: "docker" | "podman" | undefined;
  /** @default higress */
  readonly container?: string | undefined;
  /** What run.sh says, before both folders, where the container that it would replace keeps its data elsewhere. */
  readonly dataElsewhere: string;
  /** On the host. @default 8080, 8443, 8001 */
  readonly ports?: Partial<Ports> | undefined;
}

export interface Ports {
  readonly http: number;
  readonly https: number;
  readonly console: number;
}

/** The files with which Higress runs in one container, from nothing but what lies beside them; none if that cannot be. */
export function standaloneKit(input: StandaloneInput): StandaloneKit {
  const { variables, findings } = environmentOf(input);
  if (hasErrors(findings)) return { files: [], findings };
  const { http = 8080, https = 8443, console = 8001 } = input.ports ?? {};
  const container: Container = {
    image: input.image,
    archives: input.archives,
    engine: input.engine ?? "docker",
    name: input.container ?? "higress",
    variables,
    ports: [
      [http, 8080],
      [https, 8443],
      [console, 8001],
    ],
    mounts: mountsOf(input),
  };
  const files = [
    file("run.sh", runScript(container, input.dataElsewhere), 0o755),
    file("remove.sh", removeScript(container), 0o755),
    file("higress.env", environmentFile(variables)),
    file("compose.yaml", composeFile(container)),
  ];
  // A URL also serves the set of containers and a cluster; `localhost` inside one image does not.
  if (input.plugins.from === "url")
    files.push(file("compose.env", composeVariables(variables)), file("values.yaml", helmValues(variables)));
  return { files, findings };
}

function file(name: string, text: string, mode = 0o644): KitFile {
  return { name, text, mode };
}

/** For `--env-file`, which takes what stands behind `=` as it is. */
function environmentFile(variables: ReadonlyMap<string, string>): string {
  return [...variables].map(([name, value]) => `${name}=${value}\n`).join("");
}

/** Each carried plugin by itself: the image keeps those of its own that the bundle does not carry. */
function mountsOf({ plugins, carried, caFile }: StandaloneInput): readonly Mount[] {
  const names =
    plugins.from === "directory" ? [...new Set(carried.filter(isCarriable).map(({ name }) => name))].sort() : [];
  const directory = plugins.from === "directory" ? plugins.directory : "";
  const ca: Mount[] = caFile === undefined ? [] : [{ from: caFile, to: `${caDirectory}/ca.crt`, readOnly: true }];
  return [
    { from: "data", to: "/data", readOnly: false },
    ...names.map((name) => ({
      from: `${directory}/plugins/${name}`,
      to: `/usr/share/nginx/html/plugins/${name}`,
      readOnly: true,
    })),
    ...ca,
  ];
}

/** Marks the containers that this script made, which alone it may replace. */
const label = "io.higress.airgap=standalone";

function scriptHead({ engine, name }: Container): readonly string[] {
  return [
    "#!/bin/sh",
    "set -eu",
    'cd "$(dirname "$0")"',
    `engine=\${ENGINE:-${engine}}`,
    `old=$("$engine" ps --all --quiet --filter ${shellWord(`name=^${name}$`)} --filter label=${label})`,
    "",
  ];
}

/**
 * A script for a host that has a container engine and nothing else. Run again, it replaces its own container and keeps
 * ./data; a foreign container of that name makes the engine refuse. From a second kit in another folder the container
 * would begin with empty data, which nobody wants who upgrades.
 */
function runScript(container: Container, dataElsewhere: string): string {
  const { archives, image, name, ports, mounts } = container;
  const run = [
    `exec "$engine" run --detach --restart unless-stopped`,
    `--name ${shellWord(name)} --label ${label}`,
    "--env-file higress.env",
    ...ports.map(([host, inside]) => `--publish ${host}:${inside}`),
    ...mounts.map((mount) => `--volume ${volume(mount)}`),
    shellWord(image),
  ].join(" \\\n  ");
  const source = '{{range .Mounts}}{{if eq .Destination "/data"}}{{.Source}}{{end}}{{end}}';
  return [
    ...scriptHead(container),
    'if [ -n "$old" ] && ! [ -e data ]; then',
    `  data=$("$engine" inspect --format ${shellWord(source)} "$old")`,
    '  if [ -n "$data" ]; then',
    `    printf '%s\\n' ${shellWord(dataElsewhere)} "  $data" "  $PWD/data" >&2`,
    "    exit 1",
    "  fi",
    "fi",
    "",
    "# Only what is missing: loading a large archive again takes minutes.",
    `if ! "$engine" image inspect ${shellWord(image)} >/dev/null 2>&1; then`,
    ...archives.map((archive) => `  "$engine" load --input ${shellWord(archive)}`),
    "fi",
    "",
    "mkdir -p data",
    '[ -z "$old" ] || "$engine" rm --force "$old"',
    run,
    "",
  ].join("\n");
}

/** What run.sh has made, and what it has loaded; ./data stays. */
function removeScript(container: Container): string {
  const image = shellWord(container.image);
  return [
    ...scriptHead(container),
    '[ -z "$old" ] || "$engine" rm --force "$old"',
    `if "$engine" image inspect ${image} >/dev/null 2>&1; then "$engine" image rm ${image}; fi`,
    "",
  ].join("\n");
}

/** `z` shares it with containers under SELinux, and means nothing elsewhere. */
function volume({ from, to, readOnly }: Mount): string {
  const source = from.startsWith("/") ? shellWord(from) : `"$PWD"/${shellWord(from)}`;
  return source + shellWord(`:${to}:${readOnly ? "ro,z" : "z"}`);
}
