import { Failure } from "../../model/failure.ts";
import type { ItemKind, LockItem } from "../../model/lock.ts";
import { parseReference, printReference, type Reference } from "../../model/reference.ts";
import type { Mapped } from "../../model/relocation.ts";

export interface MappingOptions {
  /** Host with an optional port: the name that the cluster's nodes use. */
  readonly registry: string;
  readonly project: string;
  /** `{registry}`, `{project}`, `{path}`, `{name}`; `{registry}/{path}` takes the first path segment as the project. */
  readonly templates: {
    readonly image?: string | undefined;
    readonly plugin?: string | undefined;
    readonly chart?: string | undefined;
  };
}

const defaultTemplate = "{registry}/{project}/{path}";

const variables = /\{[^}]*\}/g;

/**
 * Original references to references on the target.
 * @throws Failure NAME_COLLISION when two digests would land on one name and tag: the second push would silently
 *   replace the first. REFERENCE_INVALID when the target would refuse the name.
 */
export function mapItems(items: readonly LockItem[], options: MappingOptions): { readonly mapped: readonly Mapped[] } {
  const mapped = items.map((item) => ({ item, targets: targetsOf(item, options) }));
  refuseCollisions(mapped);
  return { mapped };
}

/** What relocation puts before an original path: the image template up to the path. */
export function prefixOf(options: MappingOptions): string {
  const template = templateOf("image", options);
  const end = [template.indexOf("{path}"), template.indexOf("{name}"), template.length].filter((at) => at >= 0);
  return fill(template.slice(0, Math.min(...end)), { ...options, path: "" }).replace(/\/+$/, "");
}

function targetsOf(item: LockItem, options: MappingOptions): readonly Reference[] {
  const targets = [item.reference, ...item.aliases].map((text) => targetOf(item, parseReference(text), options));
  const unique = new Map(targets.map((target) => [printReference(target), target]));
  return [...unique.values()];
}

function targetOf(item: LockItem, original: Reference, options: MappingOptions): Reference {
  const printed = fill(templateOf(item.kind, options), { ...options, path: original.repository });
  const repository = printed.slice(options.registry.length + 1);
  checkTargetName(repository, printReference(original));
  return { registry: options.registry, repository, tag: original.tag ?? digestTag(original, item) };
}

/** An untagged manifest is what Harbor's garbage collection removes first, so nothing stays without a tag. */
function digestTag(original: Reference, item: LockItem): string {
  return (original.digest ?? item.root.digest).replace(":", "-").slice(0, "sha256-".length + 12);
}

function templateOf(kind: ItemKind, { templates }: MappingOptions): string {
  const template = templates[kind] ?? defaultTemplate;
  const known = ["{registry}", "{project}", "{path}", "{name}"];
  const foreign = template.match(variables)?.some((name) => !known.includes(name)) === true;
  // One push has one target: a template that leaves the registry would name what nobody pushed.
  if (foreign || !template.startsWith("{registry}/") || !/\{path\}|\{name\}/.test(template)) {
    throw new Failure("REFERENCE_INVALID", { value: template.slice(0, 300), why: "template" }, { side: "usage" });
  }
  return template;
}

function fill(template: string, values: { registry: string; project: string; path: string }): string {
  const name = values.path.slice(values.path.lastIndexOf("/") + 1);
  return template.replaceAll(variables, (variable) =>
    variable === "{registry}"
      ? values.registry
      : variable === "{project}"
        ? values.project
        : variable === "{path}"
          ? values.path
          : name,
  );
}

function refuseCollisions(mapped: readonly Mapped[]): void {
  const taken = new Map<string, LockItem>();
  for (const { item, targets } of mapped) {
    for (const target of targets.map(printReference)) {
      const first = taken.get(target);
      if (first !== undefined && first.root.digest !== item.root.digest) {
        throw new Failure("NAME_COLLISION", { target, first: first.reference, second: item.reference });
      }
      taken.set(target, item);
    }
  }
}

// docs/facts/harbor.md#repository-names. Harbor answers 401 `un-recognized request` for a name that it cannot parse,
// which reads like a wrong password; so the rules are checked here, where the words can be right.
const projectPattern = /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/;

const componentPattern = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*$/;

const maxLength = 255;

export function isProjectName(text: string): boolean {
  return text.length <= maxLength && projectPattern.test(text);
}

/** `project/path`: the project by Harbor's rule, which is narrower than a repository's. @throws Failure REFERENCE_INVALID */
export function checkTargetName(repository: string, original: string): void {
  const [project = "", ...path] = repository.split("/");
  const refuse = (why: string): Failure =>
    new Failure("REFERENCE_INVALID", { value: `${original} -> ${repository.slice(0, 300)}`, why }, { side: "usage" });
  if (path.length === 0) throw refuse("no project");
  if (!isProjectName(project)) throw refuse("project");
  if (!path.every((component) => componentPattern.test(component))) throw refuse("repository");
  if (repository.length > maxLength) throw refuse("length");
}
