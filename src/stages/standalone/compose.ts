import type { Container, Mount } from "./kit.ts";
import { composeText, yamlText } from "./quote.ts";

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
