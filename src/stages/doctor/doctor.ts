import { finding, type Finding } from "../../model/finding.ts";
import { symptomReader, type Symptom } from "../../model/symptom.ts";
import { collectTexts, type CollectOptions, type DoctorPort, type CollectedText } from "./collect.ts";

export interface DiagnoseOptions {
  readonly symptoms: readonly Symptom[];
  readonly language: "en" | "zh";
}

export interface DoctorReport {
  /** Likely causes, the likeliest first. */
  readonly findings: readonly Finding[];
  /** What they were read from, for a support archive. */
  readonly evidence: readonly CollectedText[];
}

/** Asks the cluster for everything that may say why something does not work, and reads it. */
export async function doctor(port: DoctorPort, options: CollectOptions & DiagnoseOptions): Promise<DoctorReport> {
  const evidence = await collectTexts(port, options);
  return { findings: diagnose(evidence, options), evidence };
}

/** The same for a log file, with no cluster. */
export function readLogs(text: string, options: DiagnoseOptions): readonly Finding[] {
  return diagnose([{ name: "", text }], options);
}

interface Cause {
  readonly symptom: Symptom;
  readonly where: string;
  readonly line: string;
  times: number;
}

function diagnose(evidence: readonly CollectedText[], { symptoms, language }: DiagnoseOptions): readonly Finding[] {
  const read = symptomReader(symptoms);
  const causes = new Map<string, Cause>();
  for (const { name, text } of evidence.filter(({ past }) => past !== true)) {
    for (const line of text.split("\n")) {
      const sighting = read(line);
      if (sighting === undefined) continue;
      const known = causes.get(sighting.symptom.id);
      if (known === undefined) causes.set(sighting.symptom.id, { ...sighting, where: name, times: 1 });
      else known.times += 1;
    }
  }
  return ranked([...causes.values()]).map(({ symptom, where, line, times }) =>
    finding(symptom.severity, "doctor.cause", {
      symptom: symptom.symptom[language],
      cause: symptom.cause[language],
      remedy: symptom.remedy[language],
      evidence: `${where === "" ? "" : `${where}: `}${line}${times > 1 ? ` (${times}×)` : ""}`,
    }),
  );
}

const wrapperRank = 60;

/** Causes before consequences; what only wraps another one is left out where the other one was seen. */
function ranked(causes: readonly Cause[]): readonly Cause[] {
  const root = causes.some(({ symptom }) => symptom.severity === "error" && symptom.rank < wrapperRank);
  return causes
    .filter(({ symptom }) => !(root && symptom.severity === "error" && symptom.rank >= wrapperRank))
    .sort((a, b) => a.symptom.rank - b.symptom.rank || b.times - a.times);
}
