/** One challenge of a `WWW-Authenticate` header: https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1 */
export interface Challenge {
  /** Lower case: Nexus writes `BASIC`. */
  readonly scheme: string;
  /** By lower-case name. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** A challenge that names a token service. */
export interface BearerChallenge {
  readonly realm: string;
  readonly service: string | undefined;
}

const token = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y;
const space = /[ \t]*/y;
const separators = /[ \t,]*/y;
const equals = /=[ \t]*/y;
const quoted = /"((?:[^"\\]|\\.)*)"/y;
const token68 = /[A-Za-z0-9\-._~+/]+=*(?=[ \t]*(?:,|$))/y;
/** A registry that needs more than this to say who to ask is not one. */
const maxLength = 16 * 1024;

/**
 * Reads all challenges of all header values. What cannot be read ends the value it stands in; what was read before
 * stands. Never throws: the text is a stranger's.
 */
export function parseChallenges(values: readonly string[]): readonly Challenge[] {
  return values.flatMap((value) => (value.length > maxLength ? [] : parseValue(value)));
}

function parseValue(text: string): readonly Challenge[] {
  const challenges: { scheme: string; parameters: Map<string, string> }[] = [];
  const scanner = new Scanner(text);
  for (;;) {
    scanner.take(separators);
    const name = scanner.take(token)?.[0].toLowerCase();
    if (name === undefined) return challenges;
    const spaced = scanner.take(space)?.[0] !== "";
    const current = challenges.at(-1);
    if (current !== undefined && scanner.next === "=") {
      const value = parameterValue(scanner);
      if (value === undefined) return challenges;
      // The first of two equal names: a second one is either a mistake or an attempt.
      if (!current.parameters.has(name)) current.parameters.set(name, value);
    } else if (spaced || scanner.next === "" || scanner.next === ",") {
      challenges.push({ scheme: name, parameters: new Map() });
      // `Negotiate abc==`: a lone value, which none of our schemes has.
      scanner.take(token68);
    } else return challenges;
  }
}

function parameterValue(scanner: Scanner): string | undefined {
  scanner.take(equals);
  const string = scanner.take(quoted);
  return string === undefined ? scanner.take(token)?.[0] : string[1]?.replace(/\\(.)/g, "$1");
}

class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get next(): string {
    return this.#text.charAt(this.#at);
  }

  take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match === null) return undefined;
    this.#at += match[0].length;
    return match;
  }
}

export function bearerChallenge({ scheme, parameters }: Challenge): BearerChallenge | undefined {
  const realm = parameters.get("realm");
  return scheme === "bearer" && realm !== undefined ? { realm, service: parameters.get("service") } : undefined;
}
