import { anImage, type Seed } from "../graph.ts";
import { aZip, type ZipFile } from "./jar.ts";

export interface AConsolePlugin {
  readonly url: string;
  /** The whole spec.yaml; `undefined` leaves it out. */
  readonly spec?: string | undefined;
}

/** A spec.yaml with what is read of it. */
export function aSpec({
  name = "ai-proxy",
  version = "2.0.1",
  category = "ai",
  phase = "UNSPECIFIED_PHASE",
  priority = 100,
  gatewayMinVersion = "",
} = {}): string {
  return `apiVersion: 1.0.0
info:
  gatewayMinVersion: "${gatewayMinVersion}"
  category: ${category}
  name: ${name}
  x-title-i18n:
    zh-CN: 插件
  version: ${version}
spec:
  phase: ${phase}
  priority: ${priority}
  configSchema:
    openAPIV3Schema:
      type: object
`;
}

export function anSdkJar(plugins: Readonly<Record<string, AConsolePlugin>>, properties?: string): Buffer {
  const lines = Object.entries(plugins).map(([key, { url }]) => `${key}=${url}\n`);
  const specs = Object.entries(plugins).flatMap(([key, { spec }]) =>
    spec === undefined ? [] : [[`plugins/${key}/spec.yaml`, { content: spec, descriptor: true }] as const],
  );
  const files: Record<string, ZipFile> = {
    "plugins/plugins.properties": { content: properties ?? lines.join("") },
    ...Object.fromEntries(specs),
  };
  return aZip(files);
}

/** As Spring Boot packs it: libraries are jars inside, stored. */
export function aConsoleJar(sdk: Uint8Array): Buffer {
  return aZip({
    "META-INF/MANIFEST.MF": "Manifest-Version: 1.0\n",
    "BOOT-INF/lib/other-1.0.jar": { content: aZip({ "a.class": "a" }), stored: true },
    "BOOT-INF/lib/higress-admin-sdk-2.2.4.jar": { content: sdk, stored: true },
  });
}

/** A console image: a base layer, then the application, then the script that starts it. */
export function aConsoleImage(
  jar: Uint8Array,
  more: readonly Readonly<Record<string, string | Uint8Array>>[] = [],
): Seed {
  return anImage({
    layers: [
      { "usr/bin/java": "java" },
      { "app/higress-console.jar": jar },
      { "app/start.sh": "#!/bin/sh\n" },
      ...more,
    ],
  });
}
