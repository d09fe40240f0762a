import type * as z from "zod";
import type { RelocationMap, Setting } from "../../model/relocation.ts";
import { nearest } from "../../std/nearest.ts";

/** One mistake: the path to it in the document, and what is wrong there. */
export interface Problem {
  readonly path: readonly PropertyKey[];
  readonly what: string;
  /** The mistake is the key, not its value. */
  readonly atKey?: boolean | undefined;
}

/** So many mistakes are told one by one; a list of fifty thousand was a message of five megabytes, and took seconds. */
export const toldProblems = 50;

type Issue = z.core.$ZodIssue;
type Schema = z.core.$ZodType;

/** Every issue as a problem at its own place: an unknown key at the key, a union at the member that was meant. */
export function problemsOf(error: z.ZodError, schema: Schema): readonly Problem[] {
  return error.issues.flatMap((issue) => problems(issue, [], schema));
}

function problems(issue: Issue, base: readonly PropertyKey[], schema: Schema): readonly Problem[] {
  const path = [...base, ...issue.path];
  if (issue.code === "unrecognized_keys") {
    const known = [...keysAt(schema, path)];
    return issue.keys.map((key, at) => ({
      path: [...path, key],
      what: at < toldProblems ? unknownKey(key, known) : "",
      atKey: true,
    }));
  }
  if (issue.code === "invalid_union") {
    const meant = meantMember(issue.errors);
    if (meant !== undefined) return meant.flatMap((inner) => problems(inner, path, schema));
  }
  return [{ path, what: whatOf(issue) }];
}

/** Two mistakes that everybody makes get words of their own: a member left out, and a version that YAML reads as a number. */
function whatOf(issue: Issue): string {
  if (issue.code !== "invalid_type") return issue.message;
  if (/\bundefined\b/.test(issue.message)) return `missing; expected ${issue.expected}`;
  if (issue.expected === "string" && /\bnumber\b/.test(issue.message)) return `${issue.message}; put it in quotes`;
  return issue.message;
}

function unknownKey(key: string, known: readonly string[]): string {
  const near = nearest(key, known);
  return near === undefined ? `unknown key; known: ${known.join(", ")}` : `unknown key; did you mean ${near}?`;
}

/** The member of a union whose own shape was right but for something inside it; else the one that says the most. */
function meantMember(errors: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  const shaped = errors.filter(
    (issues) => !issues.some(({ code, path }) => code === "invalid_type" && path.length === 0),
  );
  return [...(shaped.length > 0 ? shaped : errors)].sort((a, b) => a.length - b.length)[0];
}

/** The keys that a schema has at `path`, through defaults, lists and unions. */
function keysAt(schema: Schema, path: readonly PropertyKey[]): ReadonlySet<string> {
  const reached = path.reduce<readonly Schema[]>(
    (schemas, key) => schemas.flatMap(plain).flatMap((at) => inside(at, key)),
    [schema],
  );
  return new Set(reached.flatMap(plain).flatMap((at) => Object.keys(defOf(at).shape ?? {})));
}

interface Def {
  readonly innerType?: Schema;
  readonly options?: readonly Schema[];
  readonly shape?: Readonly<Record<string, Schema>>;
  readonly element?: Schema;
  readonly valueType?: Schema;
}

function defOf(schema: Schema): Def {
  return schema._zod.def as Def;
}

function plain(schema: Schema): readonly Schema[] {
  const { innerType, options } = defOf(schema);
  if (innerType !== undefined) return plain(innerType);
  return options === undefined ? [schema] : options.flatMap(plain);
}

function inside(schema: Schema, key: PropertyKey): readonly Schema[] {
  const { shape, element, valueType } = defOf(schema);
  const next = shape === undefined ? (element ?? valueType) : shape[String(key)];
  return next === undefined ? [] : [next];
}

const known = ["prefix", "registry", "project", "namespace", "pullSecret", "pluginServer"] as const;

/** A placeholder that nothing fills in would reach the chart as it is, and be found on the far side only. */
export function placeholderProblems(map: RelocationMap): readonly Problem[] {
  const { images, pullSecrets, offline, plugins, patches } = map;
  return [
    ...inSettings(images, ["images"]),
    ...inSettings(pullSecrets, ["pullSecrets"]),
    ...inSettings(offline, ["offline"]),
    ...inSettings(plugins.oci, ["plugins", "oci"]),
    ...inSettings(plugins.http, ["plugins", "http"]),
    ...patches.flatMap(({ to }, at) => inValue(to, ["patches", at, "to"])),
  ];
}

function inSettings(settings: readonly Setting[], path: readonly PropertyKey[]): readonly Problem[] {
  return settings.flatMap(({ value }, at) => inValue(value, [...path, at, "value"]));
}

function inValue(value: unknown, path: readonly PropertyKey[]): readonly Problem[] {
  if (typeof value === "string") return inText(value).map((what) => ({ path, what }));
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => inValue(inner, [...path, key]));
}

function inText(text: string): readonly string[] {
  return [...text.matchAll(/(?<!\$)\{([^{}]*)\}/g)]
    .map(([, name = ""]) => name)
    .filter((name) => !name.startsWith("plugin:") && !(known as readonly string[]).includes(name))
    .map((name) => {
      const near = nearest(name, known);
      return `unknown placeholder {${name}}${near === undefined ? "" : `; did you mean {${near}}?`}`;
    });
}
