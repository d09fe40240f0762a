import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runCommand } from "../rig/command.ts";
import { aBundleFile } from "../rig/bundle-file.ts";
import { someItems, type SeededItem } from "../rig/bundle-input.ts";
import { narrow, noChromium, visit, widthOn } from "../rig/chromium.ts";
import { anImage } from "../rig/graph.ts";
import { aTempDirectory } from "../rig/temp-directory.ts";

const evil =
  'registry.example/"><script>document.title="owned"</script><img src=http://evil.example/x onerror=alert(1)>:1';
/** The one text of others that a page shows and that may hold anything: where in a chart an image was found. */
const hostile: SeededItem = {
  kind: "image",
  reference: "registry.example/evil:1",
  role: evil,
  seed: anImage({ layers: [{ evil: "e".repeat(5000) }] }),
};

const aPage = async (folder: string, items = someItems, ...flags: string[]): Promise<string> => {
  const bundle = await aBundleFile(folder, "higress.tar", { items });
  await runCommand(["inspect", bundle, "--html", "page.html", ...flags], {
    cwd: folder,
    language: flags.includes("zh") ? "zh" : "en",
  });
  return join(folder, "page.html");
};

describe("the page of a bundle", () => {
  it("is one file that names nothing outside itself", async () => {
    await using folder = await aTempDirectory();
    const html = await readFile(await aPage(folder.path), "utf8");
    expect(html).not.toMatch(/https?:|\/\/[a-z]|@import|url\(|<link|<iframe|\ssrc=/i);
    expect(html).toMatch(/default-src 'none'/);
  });

  it("lists every item with its digest, and shows shared blobs once", async () => {
    await using folder = await aTempDirectory();
    const html = await readFile(await aPage(folder.path), "utf8");
    for (const { reference, seed } of someItems) {
      expect(html.replaceAll("<wbr>", "")).toContain(reference);
      expect(html).toContain(seed.root.digest);
    }
    expect(html.match(/<rect class="shared"/g)).toHaveLength(1);
  });

  it("has no button in the head of a table, which Chromium would then print on the first sheet only", async () => {
    await using folder = await aTempDirectory();
    const html = await readFile(await aPage(folder.path), "utf8");
    expect(html.match(/<thead>[^]*?<\/thead>/g)).toHaveLength(1);
    expect(html).not.toMatch(/<(button|input|select)/);
  });

  it("keeps names of others as text", async () => {
    await using folder = await aTempDirectory();
    const html = await readFile(await aPage(folder.path, [...someItems, hostile]), "utf8");
    expect(html.match(/<script/g)).toHaveLength(1);
    expect(html).not.toContain("<img");
    expect(html).toContain("&#60;script&#62;");
  });

  it("breaks a reference between its parts, which would else be cut anywhere", async () => {
    await using folder = await aTempDirectory();
    const seed: SeededItem = { ...hostile, reference: "registry.example:5000/higress/gateway:1.0.0", role: "built-in" };
    const html = await readFile(await aPage(folder.path, [seed], "--lang", "zh"), "utf8");
    expect(html).toContain(">registry.example:5000/<wbr>higress/<wbr>gateway<wbr>:1.0.0<");
    expect(html).toContain(">控制台内置<");
  });

  it("speaks Chinese", async () => {
    await using folder = await aTempDirectory();
    const html = await readFile(await aPage(folder.path, someItems, "--lang", "zh"), "utf8");
    expect(html).toContain('<html lang="zh-CN">');
    expect(html).toContain("空间占用");
    expect(html).toMatch(/B，3 条目，\d+ 数据块/);
  });
});

describe.skipIf(noChromium !== undefined)(
  `in a real browser${noChromium === undefined ? "" : ` (${noChromium})`}`,
  () => {
    it("the page runs under its own policy without a complaint, hostile names included", async () => {
      await using folder = await aTempDirectory();
      const { dom, console } = await visit(await aPage(folder.path, [...someItems, hostile]), folder.path);
      expect(console).toEqual([]);
      expect(dom).toContain("<title>higress 2.2.4</title>");
      expect(dom).not.toContain("<img");
    });

    it.each(["en", "zh"])("the page fits a telephone in %s", async (language) => {
      await using folder = await aTempDirectory();
      const path = await aPage(folder.path, [...someItems, hostile], "--lang", language);
      expect(await widthOn(narrow, path, folder.path)).toBe(narrow);
    });

    it("a click on a column sorts the table, and a second one turns it round", async () => {
      await using folder = await aTempDirectory();
      const path = await aPage(folder.path);
      // The policy refuses scripts that we add, which is as it should be: the test takes the policy out of its copy.
      const html = (await readFile(path, "utf8")).replace(/<meta http-equiv[^>]*>/, "");
      const sizes = async (clicks: number): Promise<number[]> => {
        const click = `<script>for (let i = 0; i < ${clicks}; i++) document.querySelectorAll("th [role=button]")[3].click()</script>`;
        const copy = join(folder.path, `clicked-${clicks}.html`);
        await writeFile(copy, html.replace("</body>", `${click}</body>`));
        const { dom } = await visit(copy, folder.path);
        return [...dom.matchAll(/class="number" data-value="(\d+)"/g)].map(([, size]) => Number(size));
      };
      const up = await sizes(1);
      expect(up).toEqual([...up].sort((a, b) => a - b));
      expect(await sizes(2)).toEqual([...up].reverse());
    });

    it("the head of a column that is sorted shows which way", async () => {
      await using folder = await aTempDirectory();
      const html = (await readFile(await aPage(folder.path), "utf8")).replace(/<meta http-equiv[^>]*>/, "");
      const shown = `<script>const head = document.querySelectorAll("th [role=button]")[3]; head.click(); document.title = getComputedStyle(head, "::after").content</script>`;
      const copy = join(folder.path, "sorted.html");
      await writeFile(copy, html.replace("</body>", `${shown}</body>`));
      const { dom } = await visit(copy, folder.path);
      expect(dom).toMatch(/<title>"? [\u2191\u2193]"?<\/title>/);
    });

    it("a script that somebody puts into the page does not run", async () => {
      await using folder = await aTempDirectory();
      const path = await aPage(folder.path);
      const html = await readFile(path, "utf8");
      await writeFile(path, html.replace("</main>", `<script>document.title = "owned"</script></main>`));
      const { dom, console } = await visit(path, folder.path);
      expect(dom).toContain("<title>higress 2.2.4</title>");
      expect(console.join("\n")).toContain("Content Security Policy");
    });
  },
);
