import pMap from "p-map";
import type { Digest } from "../../model/digest.ts";
import { finding, type Finding } from "../../model/finding.ts";
import { hostOf, isLocal } from "./check.ts";
import type { Answer, AskUrl } from "./ports.ts";

/** A URL that the console or the controller of this release can write, and whose setting makes it. */
export interface UrlQuestion {
  readonly plugin: string;
  readonly url: string;
  /** What is carried: another digest behind this URL is another plugin. */
  readonly digest: Digest;
  /** `Deployment higress-console`. */
  readonly where: string;
  /** The variable that decides, or the one that is not set. */
  readonly path: string;
}

export interface UrlInput {
  readonly urls: readonly UrlQuestion[];
  readonly inside: readonly string[];
  readonly ask: AskUrl;
  readonly signal?: AbortSignal | undefined;
}

const concurrency = 8;

/**
 * What users will click later must answer too. Nobody outside is asked: that a URL goes there is the finding, one for
 * each setting that makes it.
 */
export async function checkUrls({ urls, inside, ask, signal }: UrlInput): Promise<readonly Finding[]> {
  const isInside = ({ url }: UrlQuestion): boolean => {
    const host = hostOf(url);
    return host === undefined || inside.includes(host) || isLocal(host);
  };
  const askable = urls.filter((question) => isInside(question) && hostOf(question.url) !== undefined);
  const answers = await pMap(askable, ({ url }) => ask(url, signal), { concurrency, signal });
  return [
    ...outside(urls.filter((question) => !isInside(question))),
    ...askable.flatMap((question, at) => judged(question, answers[at])),
  ];
}

function outside(questions: readonly UrlQuestion[]): readonly Finding[] {
  const bySetting = new Map(questions.map((question) => [`${question.where} ${question.path}`, question]));
  return [...bySetting.values()].map(({ where, path, url }) =>
    finding("error", "reference.outside", { where, path, value: url, host: hostOf(url) ?? "" }),
  );
}

function judged({ plugin, url, digest }: UrlQuestion, answer: Answer | undefined): readonly Finding[] {
  if (answer === undefined) return [];
  if (answer.state === "not-asked")
    return [finding("note", "plugin.url-not-asked", { plugin, url, command: answer.command })];
  if (answer.state === "refused")
    return [finding("error", "plugin.url-unanswered", { plugin, url, answer: answer.answer })];
  if (answer.digest === undefined || answer.digest === digest) return [];
  return [finding("error", "plugin.url-unanswered", { plugin, url, answer: `${answer.digest} != ${digest}` })];
}
