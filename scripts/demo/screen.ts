import { styleText } from "node:util";
import { widthOf } from "../../src/ui/width.ts";

/** What the demo prints: what happens, each command before it runs, and what it says. */
export class Screen {
  readonly #write: (text: string) => void;
  readonly #colours: boolean;

  constructor(write: (text: string) => void, colours: boolean) {
    this.#write = write;
    this.#colours = colours;
  }

  title(text: string): void {
    this.#write(`\n${this.#styled("bold", `== ${text}`)}\n`);
  }

  say(text: string): void {
    this.#write(`${text}\n`);
  }

  command(line: string): void {
    this.#write(`\n${this.#styled("cyan", `$ ${line}`)}\n`);
  }

  /** One line that a command printed. */
  output(line: string): void {
    this.#write(line === "" ? "\n" : `  ${line}\n`);
  }

  table(rows: readonly (readonly [string, string])[]): void {
    const width = Math.max(...rows.map(([name]) => widthOf(name)));
    for (const [name, text] of rows) this.#write(`  ${name}${" ".repeat(width - widthOf(name) + 2)}${text}\n`);
  }

  #styled(style: "bold" | "cyan", text: string): string {
    return this.#colours ? styleText(style, text, { validateStream: false }) : text;
  }
}
