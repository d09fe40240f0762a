import * as z from "zod";
import { zipDirectory, readZipEntry, type ZipDirectory } from "../../content/zip.ts";
import { Failure } from "../../model/failure.ts";
import { sanitize } from "../../model/sanitize.ts";
import { loadStrings } from "../../std/yaml.ts";

/** A plugin that a console can name, as its jar describes it. */
export interface ConsolePlugin {
  /** In plugins.properties, and the folder of its spec.yaml. */
  readonly key: string;
  /** `info.name`: what `${name}` becomes in a URL pattern. */
  readonly name: string;
  /** As plugins.properties has it, with its scheme. */
  readonly reference: string;
  readonly tag?: string | undefined;
  /** `info.version`: what `${version}` becomes. Often not the tag. */
  readonly infoVersion: string;
  readonly category?: string | undefined;
  readonly gatewayMinVersion?: string | undefined;
  readonly phase?: string | undefined;
  readonly priority?: number | undefined;
}

// Every scalar is the text that it is: Jackson reads `version: 1.10` as "1.10", not as a number.
const Spec = z.object({
  info: z.object({
    name: z.string().min(1).max(128),
    version: z.string().min(1).max(128),
    category: z.string().max(128).optional(),
    gatewayMinVersion: z.string().max(128).optional(),
  }),
  spec: z
    .object({ phase: z.string().max(64).optional(), priority: z.coerce.number().optional() })
    .nullish()
    .transform((value) => value ?? {}),
});

const limits = { nestedJar: 64 * 1024 ** 2, file: 4 * 1024 ** 2, plugins: 2000 } as const;

/**
 * The plugins that a console jar names: its own list, and the spec.yaml of each, inside the SDK's jar inside of it. What
 * has no spec.yaml or no URL is skipped, as the console does.
 * @returns undefined when this is another program's jar
 * @throws Failure ARCHIVE_INVALID, PLUGIN_UNUSABLE for a spec.yaml that the console itself would not start with
 */
export async function pluginsInJar(jar: Uint8Array, what: string): Promise<readonly ConsolePlugin[] | undefined> {
  const outer = zipDirectory(jar, what);
  const sdk = [...outer.values()].find(({ name }) => /(^|\/)higress-admin-sdk-[^/]*\.jar$/.test(name));
  if (sdk === undefined) return undefined;
  const archive = await readZipEntry(jar, sdk, { what, maxBytes: limits.nestedJar });
  return pluginsInSdk({ archive, directory: zipDirectory(archive, sdk.name), what: sdk.name });
}

interface Sdk {
  readonly archive: Uint8Array;
  readonly directory: ZipDirectory;
  readonly what: string;
}

async function pluginsInSdk(sdk: Sdk): Promise<readonly ConsolePlugin[]> {
  const list = await fileOf(sdk, "plugins/plugins.properties");
  if (list === undefined)
    throw new Failure("ARCHIVE_INVALID", { what: sdk.what, why: "no plugins/plugins.properties" });
  const urls = readUrls(list, sdk.what);
  if (urls.size > limits.plugins) throw new Failure("ARCHIVE_INVALID", { what: sdk.what, why: `${urls.size} plugins` });
  const plugins: ConsolePlugin[] = [];
  for (const [key, reference] of [...urls].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const spec = reference === "" ? undefined : await fileOf(sdk, `plugins/${key}/spec.yaml`);
    if (spec !== undefined) plugins.push(describe(key, reference, spec));
  }
  return plugins;
}

async function fileOf({ archive, directory, what }: Sdk, path: string): Promise<Uint8Array | undefined> {
  const entry = directory.get(path);
  return entry === undefined ? undefined : readZipEntry(archive, entry, { what, maxBytes: limits.file });
}

function readUrls(bytes: Uint8Array, what: string): ReadonlyMap<string, string> {
  try {
    return parseProperties(bytes);
  } catch (cause) {
    throw new Failure("ARCHIVE_INVALID", { what, why: (cause as Error).message }, { cause });
  }
}

function describe(key: string, reference: string, bytes: Uint8Array): ConsolePlugin {
  const { info, spec } = readSpec(key, bytes);
  const tag = /:([\w.-]+)$/.exec(reference.slice(reference.lastIndexOf("/") + 1))?.[1];
  const known = { tag, category: info.category, gatewayMinVersion: info.gatewayMinVersion || undefined, ...spec };
  const present = Object.entries(known).filter(([, value]) => value !== undefined && value !== "");
  return { key, name: info.name, reference, infoVersion: info.version, ...Object.fromEntries(present) };
}

function readSpec(key: string, bytes: Uint8Array): z.output<typeof Spec> {
  const refuse = (why: string, cause?: unknown): Failure =>
    new Failure("PLUGIN_UNUSABLE", { plugin: sanitize(key, 100), why: sanitize(`spec.yaml: ${why}`, 300) }, { cause });
  let document: unknown;
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    // Of two equal keys the last counts, as for Jackson; basic-auth has had two since 2.1 (`required`).
    document = loadStrings(text)[0];
  } catch (cause) {
    throw refuse((cause as Error).message, cause);
  }
  const parsed = Spec.safeParse(document);
  if (parsed.success) return parsed.data;
  throw refuse(parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; "));
}

/**
 * Java's `.properties` (java.util.Properties.load of a byte stream): ISO 8859-1 with `\uXXXX`, `#` and `!` comments,
 * continued lines, `=`, `:` or blanks between key and value; of two equal keys the last counts.
 * @throws SyntaxError for a `\u` without four hexadecimal digits, where Java throws too
 */
export function parseProperties(bytes: Uint8Array): ReadonlyMap<string, string> {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  const entries = logicalLines(text).map((line): [string, string] => {
    const end = keyEnd(line);
    return [unescape(line.slice(0, end)), unescape(line.slice(end).replace(/^[ \t\f]*[=:]?[ \t\f]*/, ""))];
  });
  return new Map(entries);
}

/** A line that ends in an odd number of backslashes goes on, without the blanks that the next begins with. */
function logicalLines(text: string): readonly string[] {
  const lines: string[] = [];
  let open: string | undefined;
  for (const natural of text.split(/\r\n|\r|\n/)) {
    const line = natural.replace(/^[ \t\f]+/, "");
    if (open === undefined && (line === "" || /^[#!]/.test(line))) continue;
    const continued = (/\\*$/.exec(line)?.[0].length ?? 0) % 2 === 1;
    const whole: string = (open ?? "") + (continued ? line.slice(0, -1) : line);
    if (!continued) lines.push(whole);
    open = continued ? whole : undefined;
  }
  return open === undefined ? lines : [...lines, open];
}

/** The first separator that no backslash stands before. */
function keyEnd(line: string): number {
  for (let at = 0; at < line.length; at += 1) {
    if (line[at] === "\\") at += 1;
    else if (/[=: \t\f]/.test(line.charAt(at))) return at;
  }
  return line.length;
}

const controls: Readonly<Record<string, string>> = { t: "\t", n: "\n", r: "\r", f: "\f" };

function unescape(text: string): string {
  return text.replace(/\\(u[0-9a-fA-F]{4}|[^])/g, (_, escaped: string) => {
    if (escaped.length > 1) return String.fromCharCode(Number.parseInt(escaped.slice(1), 16));
    if (escaped === "u") throw new SyntaxError("\\u without four hexadecimal digits");
    return controls[escaped] ?? escaped;
  });
}
