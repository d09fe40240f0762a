type Environment = Readonly<Record<string, string | undefined>>;

/**
 * What the terminal's bytes mean, as the locale says it (LC_ALL, LC_CTYPE, LANG): `undefined` for UTF-8, and where the locale
 * says nothing of it.
 */
export function charsetOf(env: Environment): string | undefined {
  const locale = [env["LC_ALL"], env["LC_CTYPE"], env["LANG"]].find((value) => value !== undefined && value !== "");
  const charset = /\.([^@]+)/.exec(locale ?? "")?.[1]?.toLowerCase();
  return charset === undefined || /^utf-?8$/.test(charset) ? undefined : charset;
}

/** GB2312 and GBK are parts of GB18030, and older systems call GB2312 EUC-CN. */
export function isChinese(charset: string): boolean {
  return /^(?:gb|euc-?cn)/.test(charset);
}

/** For signs that the charset does not have. */
const plainSigns: ReadonlyMap<string, string> = new Map([
  ["✓", "+"],
  ["✗", "x"],
  ["▸", ">"],
  ["→", "->"],
  ["…", "..."],
  ["·", "-"],
  ["×", "x"],
]);

/**
 * Text in the bytes of a terminal that is not UTF-8: Chinese ones of two bytes as GBK has them, which every terminal of that
 * family reads; of any other charset ASCII is all that is certain.
 */
export function encoderOf(charset: string): (text: string) => Uint8Array {
  const known = isChinese(charset) ? twoByteTable() : new Map<string, readonly [number, number]>();
  return (text) =>
    Uint8Array.from(
      Array.from(text).flatMap((character) => {
        const point = character.codePointAt(0) ?? 0;
        if (point < 0x80) return [point];
        return known.get(character) ?? [...Buffer.from(plainSigns.get(character) ?? "?", "latin1")];
      }),
    );
}

/** Node only decodes, so its decoder is asked for every pair. */
function twoByteTable(): ReadonlyMap<string, readonly [number, number]> {
  const decoder = new TextDecoder("gbk");
  const table = new Map<string, readonly [number, number]>();
  for (let lead = 0x81; lead <= 0xfe; lead += 1)
    for (let trail = 0x40; trail <= 0xfe; trail += 1) {
      const text = trail === 0x7f ? "" : decoder.decode(Uint8Array.of(lead, trail));
      const [character = "", ...more] = text;
      if (more.length === 0 && character !== "" && character !== "\ufffd") table.set(character, [lead, trail]);
    }
  return table;
}
