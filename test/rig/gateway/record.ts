import { readFile, writeFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { wasmPluginResource } from "../../../src/model/wasm-plugin.ts";
import { aDockerRegistry } from "../registry-process.ts";
import { aTlsServer } from "../tls-servers.ts";
import type { EnvoyVersion } from "./parts.ts";
import { allSituations, besides, type Situation } from "./situations.ts";
import { aGatewayWorld, hosts, namespace, pullSecret, type Beside, type GatewayWorld } from "./world.ts";

/** What a gateway printed, by situation. */
export interface Recording {
  readonly envoy: EnvoyVersion;
  /** Of the agent, which is in the program of the rig. */
  readonly istio: string;
  readonly situations: readonly {
    readonly name: string;
    readonly symptom: string;
    readonly lines: readonly string[];
  }[];
}

interface Gateway {
  readonly envoy: EnvoyVersion;
  /** As with `global.logAsJson` of the chart. */
  readonly logAsJson: boolean;
}

/** By the end of the name of its fixture. */
const gateways: Readonly<Record<string, Gateway>> = {
  "1.36.4": { envoy: "1.36.4", logAsJson: false },
  "1.36.4-json": { envoy: "1.36.4", logAsJson: true },
  "1.40.0": { envoy: "1.40.0", logAsJson: false },
};

/** Writes the fixtures of these gateways, or of all. `only` is for a look at one: it is printed, and nothing is written. */
export async function record([which, only]: readonly string[]): Promise<void> {
  for (const [name, gateway] of Object.entries(gateways).filter(([each]) => which === undefined || each === which)) {
    const recording = await recordOn(gateway, only);
    const text = `${JSON.stringify(recording, undefined, 2)}\n`;
    if (only !== undefined) process.stdout.write(text);
    else await writeFile(fileURLToPath(new URL(`lines-envoy-${name}.json`, import.meta.url)), text);
  }
}

async function recordOn({ envoy, logAsJson }: Gateway, only: string | undefined): Promise<Recording> {
  const named = Object.entries(await allSituations()).filter(([name]) => only === undefined || name === only);
  await using world = await aGatewayWorld({ envoy, logAsJson, beside: servers });
  const contents = named.flatMap(([name, { content }]) =>
    content === undefined ? [] : [[slug(name), content] as const],
  );
  await world.seed(Object.fromEntries(contents));
  const situations: Recording["situations"][number][] = [];
  for (const [name, situation] of named) {
    const lines = await printedIn(world, name, situation);
    process.stderr.write(`${envoy} ${name}: ${String(lines.length)} lines\n`);
    situations.push({ name, symptom: situation.symptom, lines });
  }
  const modules = await readFile(fileURLToPath(new URL("program/go.mod", import.meta.url)), "utf8");
  return { envoy, istio: /istio\.io\/istio (\S+)/.exec(modules)?.[1] ?? "", situations };
}

/** A name of an object, of a repository and of a plugin in a log. */
const slug = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");

async function printedIn(world: GatewayWorld, name: string, { spec, asked }: Situation): Promise<readonly string[]> {
  const [pod] = world.gateways.pods;
  if (pod === undefined) throw new Error("no gateway runs");
  // The pod that starts after a crash has lines of its own.
  const { lines } = pod;
  const begin = lines.length;
  const metadata = { name: slug(name), namespace };
  const plugin = { url: `oci://${hosts.harbor}/${slug(name)}:1`, imagePullSecret: pullSecret, defaultConfig: { a: 1 } };
  const object = {
    apiVersion: "extensions.higress.io/v1alpha1",
    kind: "WasmPlugin",
    metadata,
    spec: { ...plugin, ...spec },
  };
  await world.kubectl.apply([object], { fieldManager: "rig" });
  const since = () => lines.slice(begin);
  for (let tries = 0; tries < 240 && !since().some(isTrouble); tries += 1) {
    await delay(250);
    if (asked === true) await world.gateways.ask().catch(() => undefined);
  }
  await quiet(since);
  const printed = since();
  await world.kubectl.delete({ resource: wasmPluginResource, name: metadata.name, namespace });
  await world.ready();
  await quiet(() => lines);
  return [...new Set(printed.filter((line) => line.trim() !== "" && !isAddress.test(line)).map(undated))];
}

/** Of a backtrace; each run has others. */
const isAddress = /\[0x[0-9a-f]+\]|Address mapping: /;
const isTrouble = (line: string): boolean =>
  /\t(error|critical|warning|warn)\t|"level":"(error|critical|warning|warn)"/.test(line);

async function quiet(lines: () => readonly string[]): Promise<void> {
  for (let seen = -1; seen !== lines().length;) {
    seen = lines().length;
    await delay(1500);
  }
}

/** Without what differs from run to run. */
function undated(line: string): string {
  return line
    .replace(/^\d{4}-\d\d-\d\dT[\d:.]+Z\t/, "")
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "2026-11-29T00:00:00Z")
    .replaceAll(/thread(=|":")\d+/g, "thread$11")
    .replaceAll(/127\.0\.0\.1:\d{5}/g, "127.0.0.1:40000");
}

/** Registries and a file server that do what their names in `besides` say. */
async function servers({ authority, stranger, keep }: Beside): Promise<Readonly<Record<string, string>>> {
  const realm = keep(await aDockerRegistry({ tls: authority, htpasswd: { user: "a", password: "b" } }));
  const files = keep(
    await aTlsServer("plain", (request, response) => {
      response.statusCode = Number(/\d{3}/.exec(request.url ?? "")?.[0] ?? 404);
      response.end("<html>no module</html>");
    }),
  );
  return {
    [besides.misnamed]: stranger,
    [besides.realm]: realm.url,
    [besides.files]: files.url,
  };
}
