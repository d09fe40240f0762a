import { execa } from "execa";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { runApp } from "../../../src/cli/app.ts";
import { commands } from "../../../src/cli/commands/table.ts";
import type { Event } from "../../../src/model/event.ts";
import { Site } from "../../../src/model/site.ts";
import { BundleSpec } from "../../../src/model/spec.ts";
import { catalogueOf } from "../../../src/ui/language.ts";
import { commandNames, flagNames } from "../../../src/ui/messages/vocabulary.ts";

const phases = Object.keys(catalogueOf("en").phases);

/** What a schema of zod says of itself, as far as it is read here. */
interface Definition {
  readonly def: { readonly innerType?: Definition; readonly element?: Definition };
  readonly shape?: Readonly<Record<string, unknown>>;
}

const page = async (name: string): Promise<string> => readFile(`docs/${name}`, "utf8");

describe("docs/", () => {
  it("repeats what the program says, where scripts/docs.mjs writes it", { timeout: 120_000 }, async () => {
    const { stdout, exitCode } = await execa("node", ["scripts/docs.mjs", "--check"], { reject: false });
    expect({ stale: stdout, exitCode }).toEqual({ stale: "", exitCode: 0 });
  });

  const groff = existsSync("/usr/bin/groff") ? "/usr/bin/groff" : undefined;
  it.skipIf(groff === undefined).each(["man1", "zh_CN/man1"])(
    `has a manual page in %s that groff reads without a warning${groff === undefined ? " (skipped: groff is not installed)" : ""}`,
    async (folder) => {
      const { stdout, stderr } = await execa(groff ?? "groff", [
        ...["-k", "-man", "-Tutf8", "-ww", "-rLL=78n"],
        `docs/man/${folder}/higress-airgap.1`,
      ]);
      expect(stderr).toBe("");
      const shown = stdout.replace(/.\u0008/gu, "");
      for (const { name } of commands) expect(shown).toContain(`\n   ${name}\n`);
    },
  );

  it("has the same pages in both languages", async () => {
    expect(await readdir("docs/zh")).toEqual(await readdir("docs/en"));
  });

  it.each(["en/quick-start.md", "zh/quick-start.md", "en/security-model.md", "zh/security-model.md"])(
    "names in %s only commands and options that exist",
    async (name) => {
      const text = await page(name);
      const calls = [...text.matchAll(/(?:higress-airgap|\.\/install\.sh) ([a-z-]+)((?: [^`\n#]*)?)/g)];
      expect(name.includes("quick") ? calls.length : 4).toBeGreaterThan(3);
      const words = commandNames.map((command) => command.split(" ")[0]);
      const wrong = calls.filter(([, word = ""]) => !words.includes(word));
      const flags = [...text.replaceAll(/^(?:sha256sum|ctr) .*/gm, "").matchAll(/(?<![\w-])--([a-z-]+)/g)].map(
        ([, flag = ""]) => flag,
      );
      expect([
        wrong.map(([call]) => call),
        flags.filter((flag) => !flagNames.includes(flag as never) && flag !== "from-oci-layout"),
      ]).toEqual([[], []]);
    },
  );

  it.each([
    ["en", "site-file.md", Site],
    ["zh", "site-file.md", Site],
    ["en", "spec-file.md", BundleSpec],
    ["zh", "spec-file.md", BundleSpec],
  ])("explains in %s/%s every key of that file", async (language, name, schema) => {
    const text = await page(`${language}/${name}`);
    const keys = Object.entries<unknown>(schema.shape).flatMap(([key, member]) => {
      let inner = member as Definition;
      for (;;) {
        const next = inner.def.innerType ?? inner.def.element;
        if (next === undefined) break;
        inner = next;
      }
      return inner.shape === undefined ? [key] : Object.keys(inner.shape);
    });
    expect(keys.length).toBeGreaterThan(20);
    expect(keys.filter((key) => !new RegExp(`[\`.]${key}\``).test(text))).toEqual([]);
  });

  it.each(["en", "zh"])("explains in %s every event that --output json prints", async (language) => {
    // Another kind of event does not compile until it is here; what is counted is told as progress.
    const printed: Readonly<Record<Exclude<Event["type"], "moved" | "step"> | "progress" | "failure", true>> = {
      ...{ job: true, phase: true, transfer: true, progress: true, item: true, retry: true, stalled: true },
      ...{ finding: true, note: true, failure: true },
    };
    const [text, codes] = [await page(`${language}/events.md`), await page(`${language}/codes.md`)];
    expect(Object.keys(printed).filter((type) => !text.includes(`\n| \`${type}\` `))).toEqual([]);
    expect(phases.filter((phase) => !text.includes(`\`${phase}\``))).toEqual([]);
    expect(Object.keys(catalogueOf("en").notes).filter((note) => !codes.includes(`| \`${note}\` `))).toEqual([]);
  });

  it("describes every command that there is", async () => {
    const text = await page("en/commands.md");
    expect(commands.filter(({ name }) => !text.includes(`\n## ${name}\n`)).map(({ name }) => name)).toEqual([]);
    expect((await runApp(["--help"], "1", "en", () => expect.unreachable())).text).toContain(
      "higress-airgap <command>",
    );
  });
});
