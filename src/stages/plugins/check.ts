import { functionTypes } from "../../content/wasm-types.ts";
import { outline, type ModuleOutline } from "../../content/wasm.ts";
import { finding, hasErrors, type Finding, type FindingFacts } from "../../model/finding.ts";
import { generationOf, type GatewayGenerations } from "../../model/gateway.ts";
import { sanitize } from "../../model/sanitize.ts";
import { isOlder } from "../../model/version-range.ts";
import { printBytes } from "../../std/bytes.ts";
import { abiVersions, missingExports, higressOnly, mismatches, missingImports, printImport } from "./abi.ts";
import type { ModuleStarter, StartLine, StartResult } from "../../model/plugin-start.ts";

export type GatewayTable = GatewayGenerations;

export interface PluginCheckInput {
  readonly name: string;
  readonly reference: string;
  readonly module: Uint8Array;
  /** The Higress release that will load it. */
  readonly gateway: string;
  /** `info.gatewayMinVersion` of its spec.yaml. */
  readonly gatewayMinVersion?: string | undefined;
  /** JSON, as the gateway hands it over. */
  readonly config?: string | undefined;
}

export interface PluginCheck {
  readonly name: string;
  readonly abi?: string | undefined;
  readonly imports: readonly string[];
  readonly higressOnly: readonly string[];
  readonly start: StartVerdict["start"] | "skipped";
  readonly findings: readonly Finding[];
  /** Bytes of wasm memory once it was configured. */
  readonly memory?: number | undefined;
}

/** Istio's agent downloads no larger module (`pkg/wasm/cache.go`). */
export const moduleLimit = 256 * 1024 ** 2;

export interface PluginCheckOptions {
  readonly signal?: AbortSignal | undefined;
  /** @default 20 seconds: a Go plugin needs 0.2, on a build host that is busy some more */
  readonly timeoutMs?: number | undefined;
  /** @default 512 */
  readonly memoryMiB?: number | undefined;
}

/**
 * Predicts whether a gateway will load a plugin and take its configuration: everything that can be read off the module,
 * then, when nothing there forbids it, a start in the sandbox. Says nothing about what the plugin does with traffic.
 */
export async function checkPlugin(
  input: PluginCheckInput,
  gateways: GatewayTable,
  starter: ModuleStarter,
  options: PluginCheckOptions = {},
): Promise<PluginCheck> {
  const nothing = { name: input.name, imports: [], higressOnly: [], start: "skipped" } as const;
  const module = readOutline(input);
  if ("code" in module) return { ...nothing, findings: [module] };
  const abis = abiVersions(module);
  const offered = generationOf(gateways, input.gateway)?.generation.abis;
  // Of several the gateway takes the first that it knows.
  const abi = abis.find((each) => offered?.includes(each)) ?? abis[0];
  const findings = [...exportFindings(input, module, abis), ...gatewayFindings(input, module, abi, gateways)];
  const facts = {
    name: input.name,
    ...(abi === undefined ? {} : { abi }),
    imports: module.imports.map(printImport),
    higressOnly: higressOnly(module.imports),
  };
  if (hasErrors(findings)) return { ...facts, start: "skipped", findings };
  const outside = module.imports.filter(({ kind }) => kind !== "function").map(printImport);
  if (outside.length > 0) {
    const why = sanitize(outside.join(", "), 200);
    return { ...facts, start: "not-checkable", findings: [...findings, notCheckable(input.name, why)] };
  }
  const { signal, timeoutMs = 20_000, memoryMiB = 512 } = options;
  const result = await starter.start(input.module, input.config ?? "", {
    timeoutMs,
    memoryMiB,
    name: input.name,
    earlyCalls: gateways.earlyCalls,
    signal,
  });
  const verdict = judgeStart(input, result);
  return { ...facts, start: verdict.start, memory: result.memory, findings: [...findings, ...verdict.findings] };
}

function readOutline({ name, module }: PluginCheckInput): ModuleOutline | Finding {
  if (module.byteLength >= moduleLimit) {
    const facts = { plugin: name, size: printBytes(module.byteLength), limit: printBytes(moduleLimit) };
    return finding("error", "plugin.too-large", facts);
  }
  try {
    return outline(module);
  } catch (error) {
    return finding("error", "plugin.not-wasm", { plugin: name, why: sanitize((error as Error).message, 200) });
  }
}

function exportFindings(
  { name }: PluginCheckInput,
  module: ModuleOutline,
  abis: readonly string[],
): readonly Finding[] {
  const missing = missingExports(module);
  return [
    ...(abis.length > 0 ? [] : [finding("error", "plugin.abi", { plugin: name, has: "-" })]),
    ...(missing.length === 0
      ? []
      : [finding("error", "plugin.exports", { plugin: name, missing: missing.join(", ") })]),
  ];
}

function gatewayFindings(
  input: PluginCheckInput,
  module: ModuleOutline,
  abi: string | undefined,
  table: GatewayTable,
): readonly Finding[] {
  const { name: plugin, gateway, gatewayMinVersion: wants } = input;
  const findings: Finding[] = [];
  if (wants !== undefined && isOlder(gateway, wants))
    findings.push(finding("error", "plugin.gateway-too-old", { plugin, wants: sanitize(wants, 60), gateway }));
  const known = generationOf(table, gateway);
  if (known === undefined) return [...findings, finding("note", "plugin.gateway-unknown", { plugin, gateway })];
  if (abi === undefined) return findings;
  if (!known.generation.abis.includes(abi))
    findings.push(finding("error", "plugin.abi", { plugin, has: sanitize(abi, 60) }));
  const types = functionTypes(input.module);
  const wrong = types === undefined ? [] : mismatches(types, table, abi);
  if (wrong.length > 0) {
    const functions = sanitize(wrong.join(", "), 400);
    findings.push(finding("error", "plugin.types", { plugin, functions }));
  }
  const missing = missingImports(module.imports, { table, generation: known.generation, abi });
  if (missing.length > 0) {
    const imports = sanitize(missing.join(", "), 400);
    findings.push(finding("error", "plugin.import-missing", { plugin, imports, gateway }));
  }
  return findings;
}

export interface StartVerdict {
  readonly start: "configured" | "refused" | "not-checkable";
  readonly findings: readonly Finding[];
}

export interface Started {
  readonly name: string;
  readonly config?: string | undefined;
}

/**
 * What a start means. Without a configuration a refusal means nothing: most plugins want one, and it may come with the
 * first route. So it is a note then, and an error only for the configuration that the gateway will really be given.
 */
function judgeStart(input: Started, result: StartResult): StartVerdict {
  const plugin = input.name;
  const words = refusal(result.logs);
  if (result.error !== undefined && beyondUs.test(result.error.why))
    return { start: "not-checkable", findings: [notCheckable(plugin, sanitize(result.error.why, 300))] };
  if (result.error?.step === "compile")
    return refused("plugin.not-wasm", { plugin, why: sanitize(result.error.why, 300) });
  const stop = whereItStopped(input, result);
  if (stop !== undefined)
    return refused("plugin.start-failed", { plugin, words: words === "" ? stop : `${stop} (${words})` });
  // Whatever is not 0 is a yes.
  if (result.error === undefined && result.steps.configure !== 0) return { start: "configured", findings: [] };
  const why = (result.error === undefined ? words : sanitize(result.error.why, 300)) || "configure: 0";
  if (input.config !== undefined) return refused("plugin.config-refused", { plugin, words: why });
  return { start: "not-checkable", findings: [notCheckable(plugin, why)] };
}

/**
 * What this program's engine or its bounds cannot do and a gateway's can: features that V8 of Node 20 has behind a flag,
 * more memories than one, more memory to begin with than a check may take.
 */
const beyondUs =
  /enable (?:with|via) --experimental|not allowed in constant expressions|invalid memory limits flags|^\d{1,9} memories$|pages of memory, \d{1,9} allowed$/;

const notCheckable = (plugin: string, why: string): Finding => finding("note", "plugin.not-checkable", { plugin, why });

/** The step that ended the start, unless it is one that wanted a configuration and had none. */
function whereItStopped(input: Started, { steps, error }: StartResult): string | undefined {
  if (steps.vm === 0) return "vm: 0";
  if (error === undefined || (error.step === "configure" && input.config === undefined)) return undefined;
  return sanitize(`${error.step}: ${error.why}`, 300);
}

function refused<C extends "plugin.not-wasm" | "plugin.start-failed" | "plugin.config-refused">(
  code: C,
  facts: FindingFacts[C],
): StartVerdict {
  return { start: "refused", findings: [finding("error", code, facts)] };
}

const loud: ReadonlySet<string> = new Set(["warn", "error", "critical", "stderr"]);

/** What Go says before it ends; the rest is a stack, written piece by piece. */
const panic = /^(?:panic|fatal error): .{1,300}/m;

/** The plugin's own last loud words, else its last words: that is where it says what it did not like. */
function refusal(logs: readonly StartLine[]): string {
  const printed = logs.filter(({ level }) => level === "stderr" || level === "stdout").map(({ text }) => text);
  const [said] = panic.exec(printed.join("")) ?? [];
  if (said !== undefined) return sanitize(said, 300);
  const complaints = logs.filter(({ level }) => loud.has(level));
  const lines = (complaints.length > 0 ? complaints : logs).slice(-3).map(({ text }) => sanitize(text, 300));
  return lines.filter((line) => line !== "").join("; ");
}
