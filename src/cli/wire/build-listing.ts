import { planBundle, type PackInput } from "../../stages/bundle/plan.ts";
import { printBytes } from "../../std/bytes.ts";
import { catalogueOf, type Language } from "../../ui/language.ts";
import { table } from "../../ui/table.ts";

/** What a build would write: every item, and how long the file would be, to the byte. */
export function buildListing(input: PackInput, language: Language): string {
  const { words } = catalogueOf(language);
  const { lock, blobs } = input;
  const rows = lock.items.map((item) => [
    item.kind,
    item.reference,
    printBytes(item.bytes),
    item.platforms.join(" "),
    item.root.digest.slice(0, 19),
  ]);
  const plan = planBundle(input);
  const carried = blobs.length - (plan.document.delta?.absent.length ?? 0);
  const head = [
    `${words.bundle}: ${lock.name} ${lock.version}`,
    `${words.size}: ${printBytes(plan.size)} (${plan.size} B), ${lock.items.length} ${words.items}, ${carried} ${words.blobs}`,
  ];
  return `${head.join("\n")}\n\n${table([words.kind, words.reference, words.size, words.platforms, words.digest], rows)}`;
}
