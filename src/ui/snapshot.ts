import type { ClusterSnapshot } from "../model/cluster-snapshot.ts";
import { fill } from "./fill.ts";
import { catalogueOf, type Language } from "./language.ts";
import { snapshotWords, type SnapshotFile } from "./messages/snapshot-words.ts";
import { visible } from "./width.ts";

export interface SnapshotFiles {
  /** Names of the files that are written, by what they are. */
  readonly names: Readonly<Partial<Record<SnapshotFile, string>>>;
  /** What `build` is given. */
  readonly spec: string;
}

/** The README of the folder, which is also what the screen shows: what is there, what is not, and what to type. */
export function snapshotReadme(snapshot: ClusterSnapshot, { names, spec }: SnapshotFiles, language: Language): string {
  const say = snapshotWords[language];
  const { punctuation } = catalogueOf(language);
  const { chart, images, hosts, leftOut, unread, ...named } = snapshot;
  const list = (title: string, lines: readonly string[]): readonly string[] => [
    "",
    `${title}${punctuation.colon.trimEnd()}`,
    ...(lines.length === 0 ? [`  ${say.nothing}`] : lines.map((line) => `  ${line}`)),
  ];
  const written = Object.entries(names) as readonly (readonly [SnapshotFile, string])[];
  const carried = written.map(([, name]) => name);
  const lines = [
    fill(say.title, { ...named, chart: chart.name, version: chart.version }),
    say.made,
    ...list(
      say.files,
      written.map(([what, name]) => `${name}  ${say.file[what]}`),
    ),
    ...list(
      say.images,
      images.map(({ reference, digests }) => [reference, ...digests].join("  ")),
    ),
    ...list(say.hosts, hosts),
    ...list(say.leftOut, [
      ...unread.map(({ what, why }) => fill(say.unread, { what: say.questions[what], why: why.trim() })),
      ...leftOut.map(({ reason, where }) => fill(say.reasons[reason], { where })),
    ]),
    "",
    fill(say.review, { files: carried.join(", ") }),
    "",
    say.next,
    `  higress-airgap build ${spec}`,
    "",
    say.inside,
    "  higress-airgap install BUNDLE --site site.yaml",
    ...(names.settings === undefined ? [] : [`  kubectl replace -f ${names.settings}`]),
    ...(names.objects === undefined ? [] : [`  kubectl apply --server-side -f ${names.objects}`]),
  ];
  // Names and paths are of others: a line break in one of them would begin a line that looks like our advice.
  return lines.map((line) => `${visible(line).replaceAll("\n", " ")}\n`).join("");
}
