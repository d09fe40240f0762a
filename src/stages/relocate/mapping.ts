import { Failure } from "../../model/failure.ts";
import type { Digest } from "../../model/digest.ts";
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
  /** What the console will ask for, by target, and the digest that it must get. */
  readonly asked?: ReadonlyMap<string, Digest> | undefined;
}

const defaultTemplate = "{registry}/{project}/{path}";

const variables = /\{[^}]*\}/g;

/** A name on the target that two contents would have: `by` has it, and `item` does not. */
export interface YieldedName {
  readonly item: LockItem;
  readonly target: Reference;
  readonly by: LockItem;
  /** Where the item is in its place; absent where the name was only one of its aliases. */
  readonly instead?: Reference | undefined;
}

export interface Mapping {
  readonly mapped: readonly Mapped[];
  readonly yielded: readonly YieldedName[];
}

/**
 * Original references to references on the target. What an item is really named by wins over an alias of another one,
 * except where the console asks for the alias: then the item is put under its digest, and its references are rewritten.
 * @throws Failure NAME_COLLISION when two digests would land on one name and tag: the second push would silently
 *   replace the first. REFERENCE_INVALID when the target would refuse the name.
 */
export function mapItems(items: readonly LockItem[], options: MappingOptions): Mapping {
  const placed = items.map((item) => {
    const [own, ...aliases] = targetsOf(item, options);
    const moved = own === undefined ? undefined : underDigest(item, own, options);
    return { item, own: moved ?? own, aliases, left: moved === undefined ? undefined : own };
  });
  const owners = new Map<string, LockItem>();
  for (const { item, own } of placed) if (own !== undefined) claim(owners, item, own);
  const yielded: YieldedName[] = [];
  const mapped = placed.map(({ item, own, aliases }) => {
    const kept = aliases.filter((target) => {
      const by = owners.get(printReference(target)) ?? item;
      if (by.root.digest === item.root.digest) return claim(owners, item, target);
      yielded.push({ item, target, by });
      return false;
    });
    return { item, targets: own === undefined ? kept : [own, ...kept] };
  });
  for (const { item, own, left } of placed) {
    const by = left === undefined ? undefined : owners.get(printReference(left));
    if (left !== undefined && by !== undefined) yielded.push({ item, target: left, by, instead: own });
  }
  return { mapped, yielded };
}

/**
 * Where an item goes when the console, asking for the item's name, must get another content: under a tag made of its
 * digest. `undefined` when it keeps its name.
 */
function underDigest(item: LockItem, own: Reference, { asked }: MappingOptions): Reference | undefined {
  const wanted = asked?.get(printReference(own));
  return wanted === undefined || wanted === item.root.digest
    ? undefined
    : { ...own, tag: digestTag({ ...own, digest: undefined }, item) };
}

function claim(owners: Map<string, LockItem>, item: LockItem, place: Reference): true {
  const target = printReference(place);
  const first = owners.get(target);
  if (first !== undefined && first.root.digest !== item.root.digest)
    throw new Failure("NAME_COLLISION", { target, first: first.reference, second: item.reference });
  owners.set(target, item);
  return true;
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

// docs/facts/harbor.md#repository-names. Harbor answers 401 `un-recognized request` for a name that it cannot parse,
// which reads like a wrong password; so the rules are checked here, where the words can be right.
const projectPattern = /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/;

const componentPattern = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*$/;

const maxLength = 255;

function isProjectName(text: string): boolean {
  return text.length <= maxLength && projectPattern.test(text);
}

/** `project/path`: the project by Harbor's rule, which is narrower than a repository's. @throws Failure REFERENCE_INVALID */
function checkTargetName(repository: string, original: string): void {
  const [project = "", ...path] = repository.split("/");
  const refuse = (why: string): Failure =>
    new Failure("REFERENCE_INVALID", { value: `${original} -> ${repository.slice(0, 300)}`, why }, { side: "usage" });
  if (path.length === 0) throw refuse("no project");
  if (!isProjectName(project)) throw refuse("project");
  if (!path.every((component) => componentPattern.test(component))) throw refuse("repository");
  if (repository.length > maxLength) throw refuse("length");
}
