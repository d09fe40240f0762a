import type { Container, Mount } from "./kit.ts";
import { shellWord } from "./quote.ts";

/** Marks the containers that this script made, which alone it may replace. */
const label = "io.higress.airgap=standalone";

/**
 * A script for a host that has a container engine and nothing else. Run again, it replaces its own container and keeps
 * ./data; a foreign container of that name makes the engine refuse.
 */
export function runScript(container: Container): string {
  const { archives, engine, image, name, ports, mounts } = container;
  const run = [
    `exec "$engine" run --detach --restart unless-stopped`,
    `--name ${shellWord(name)} --label ${label}`,
    "--env-file higress.env",
    ...ports.map(([host, inside]) => `--publish ${host}:${inside}`),
    ...mounts.map((mount) => `--volume ${volume(mount)}`),
    shellWord(image),
  ].join(" \\\n  ");
  return [
    "#!/bin/sh",
    "set -eu",
    'cd "$(dirname "$0")"',
    `engine=\${ENGINE:-${engine}}`,
    "",
    "# Only what is missing: loading a large archive again takes minutes.",
    `if ! "$engine" image inspect ${shellWord(image)} >/dev/null 2>&1; then`,
    ...archives.map((archive) => `  "$engine" load --input ${shellWord(archive)}`),
    "fi",
    "",
    "mkdir -p data",
    `old=$("$engine" ps --all --quiet --filter ${shellWord(`name=^${name}$`)} --filter label=${label})`,
    '[ -z "$old" ] || "$engine" rm --force $old',
    run,
    "",
  ].join("\n");
}

/** `z` shares it with containers under SELinux, and means nothing elsewhere. */
function volume({ from, to, readOnly }: Mount): string {
  const source = from.startsWith("/") ? shellWord(from) : `"$PWD"/${shellWord(from)}`;
  return source + shellWord(`:${to}:${readOnly ? "ro,z" : "z"}`);
}
