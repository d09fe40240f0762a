import type { WriteStream } from "node:tty";
import { charsetOf, encoderOf, isChinese } from "../ui/charset.ts";
import type { Language } from "../ui/language.ts";

interface Terminals {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: WriteStream;
  readonly stderr: WriteStream;
}

/**
 * Writes to terminals in the charset of the locale. Files and pipes get UTF-8 whatever that is: other programs read them. So
 * does who asks for Chinese (`--lang zh`) where the locale has none: that locale is not the terminal's.
 */
export function speakAsTerminal(language: Language, { env, stdout, stderr }: Terminals): void {
  const charset = charsetOf(env);
  const terminals = [stdout, stderr].filter(({ isTTY }) => isTTY);
  if (charset === undefined || terminals.length === 0 || (language === "zh" && !isChinese(charset))) return;
  const encode = encoderOf(charset);
  for (const terminal of terminals) {
    const write = terminal.write.bind(terminal) as (chunk: Uint8Array | string, ...more: unknown[]) => boolean;
    terminal.write = (chunk: Uint8Array | string, ...more: unknown[]) =>
      write(typeof chunk === "string" ? encode(chunk) : chunk, ...more);
  }
}
