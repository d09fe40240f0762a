import { isValues, type Values } from "./values.ts";

/**
 * Reads one `--set`: `a.b=c`, `a[0].b=c`, `a={x,y}`, several with commas between them, `\` before a character that is meant
 * itself. Types are Helm's (https://helm.sh/docs/intro/using_helm/#the-format-and-limitations-of---set): true, false, null
 * and whole numbers are what they look like, anything else is text.
 * @throws SyntaxError with the part that cannot be read
 */
export function setValues(values: Values, text: string): Values {
  return splitAt(text, ",").reduce((into, pair) => {
    const [path = "", ...rest] = splitAt(pair, "=");
    if (rest.length === 0) throw new SyntaxError(pair);
    return setAt(into, stepsOf(path, pair), valueOf(rest.join("="))) as Values;
  }, values);
}

type Step = string | number;

/** More nesting than this is no values file; Helm itself stops at 30. */
const maxSteps = 30;
/** As in Helm: a typing mistake must not make a list of a billion entries. */
const maxIndex = 65_536;

function stepsOf(path: string, pair: string): readonly Step[] {
  const steps = splitAt(path, ".").flatMap((part): readonly Step[] => {
    const [, name = "", indexes = ""] = /^((?:[^[\]\\]|\\.)*)((?:\[\d{1,5}\])*)$/s.exec(part) ?? [];
    if (name === "" && !(indexes !== "" && path.startsWith("["))) throw new SyntaxError(pair);
    return [plain(name), ...[...indexes.matchAll(/\d+/g)].map(([digits]) => Number(digits))];
  });
  if (steps.length > maxSteps || steps.some((step) => typeof step === "number" && step > maxIndex))
    throw new SyntaxError(pair);
  return steps;
}

function setAt(into: unknown, [step, ...more]: readonly Step[], value: unknown): unknown {
  if (step === undefined) return value;
  if (typeof step === "number") {
    const list: unknown[] = Array.isArray(into) ? [...(into as readonly unknown[])] : [];
    while (list.length < step) list.push(null);
    list[step] = setAt(list[step], more, value);
    return list;
  }
  const map: Record<string, unknown> = isValues(into) ? { ...into } : {};
  define(map, step, setAt(Object.hasOwn(map, step) ? map[step] : undefined, more, value));
  return map;
}

function valueOf(text: string): unknown {
  if (/^\{.*\}$/s.test(text)) return splitAt(text.slice(1, -1), ",").map(scalarOf);
  return scalarOf(text);
}

function scalarOf(text: string): unknown {
  if (text === "true" || text === "false") return text === "true";
  if (text === "null") return null;
  // Helm reads 0 and numbers without a leading zero; `007` and `1.5` stay text.
  if (/^-?[1-9]\d{0,14}$|^0$/.test(text)) return Number(text);
  return plain(text);
}

function plain(text: string): string {
  return text.replace(/\\(.)/gs, "$1");
}

/** Splits where `at` stands unescaped and outside of `{…}`. */
function splitAt(text: string, at: string): readonly string[] {
  const parts: string[] = [];
  let part = "";
  let inList = false;
  for (let here = 0; here < text.length; here += 1) {
    const letter = text[here] ?? "";
    if (letter === "\\") {
      part += letter + (text[here + 1] ?? "");
      here += 1;
    } else if (letter === at && !inList) {
      parts.push(part);
      part = "";
    } else {
      if (letter === "{" && part.endsWith("=")) inList = true;
      if (letter === "}") inList = false;
      part += letter;
    }
  }
  return [...parts, part];
}

/** `__proto__` is a key like any other here. */
function define(map: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(map, key, { value, enumerable: true, configurable: true, writable: true });
}
