import { describe, expect, it } from "vitest";
import { reportFindings, type Event } from "../../../src/model/event.ts";
import { Failure } from "../../../src/model/failure.ts";
import { finding } from "../../../src/model/finding.ts";
import { canonicalJson } from "../../../src/std/canonical-json.ts";
import { jsonText, widthOf } from "../../../src/ui/width.ts";
import { recorded, type Recorded } from "../../rig/recorded-reporter.ts";

const mebi = 1024 ** 2;
const started: Event = { type: "phase", phase: "pack", state: "started" };
const transfer: Event = { type: "transfer", phase: "pack", items: 2, bytes: 100 * mebi };
const moved = (bytes: number, name = "higress/gateway:2.2.4", size = 100 * mebi): Event => ({
  type: "moved",
  phase: "pack",
  name,
  bytes,
  size,
});
const damaged = finding("error", "bundle.file-damaged", { file: "a.yaml", wanted: "1", got: "2" });

/** One transfer of 100 seconds, 1 MiB a second, with a retry, a silence, a finding and its end. */
function play({ reporter, clock }: Recorded): void {
  reporter.report(started);
  reporter.report(transfer);
  for (let second = 1; second <= 100; second += 1) {
    clock.now += 1000;
    reporter.report(moved(mebi));
    if (second === 35) reporter.report({ type: "stalled", what: "blob sha256:9b87", seconds: 30 });
    if (second === 36)
      reporter.report({ type: "retry", what: "blob sha256:9b87", why: "ECONNRESET", attempt: 1, wait: 2000 });
  }
  reporter.report({ type: "finding", finding: damaged });
  reporter.report({ type: "item", phase: "pack", name: "higress/gateway:2.2.4", bytes: 100 * mebi, state: "done" });
  reporter.report({ type: "phase", phase: "pack", state: "done" });
  reporter.close();
}

describe("the plain reporter", () => {
  it("writes a line for what happens, and one every ten seconds for what moves", () => {
    const it = recorded({});
    play(it);
    expect(it.written.join("")).toMatchInlineSnapshot(`
      "▸ fetch and pack
        2 items, 100.0 MiB
        10% · 10.0 MiB/100.0 MiB · 1.0 MiB/s · left 1m30s · 0/2 · higress/gateway:2.2.4
        20% · 20.0 MiB/100.0 MiB · 1.0 MiB/s · left 1m20s · 0/2 · higress/gateway:2.2.4
        30% · 30.0 MiB/100.0 MiB · 1.0 MiB/s · left 1m10s · 0/2 · higress/gateway:2.2.4
        … no bytes: blob sha256:9b87 30s
        ↻ again: blob sha256:9b87 (ECONNRESET) #1 +2s
        40% · 40.0 MiB/100.0 MiB · 1.0 MiB/s · left 1m00s · 0/2 · higress/gateway:2.2.4
        50% · 50.0 MiB/100.0 MiB · 1.0 MiB/s · left 50s · 0/2 · higress/gateway:2.2.4
        60% · 60.0 MiB/100.0 MiB · 1.0 MiB/s · left 40s · 0/2 · higress/gateway:2.2.4
        70% · 70.0 MiB/100.0 MiB · 1.0 MiB/s · left 30s · 0/2 · higress/gateway:2.2.4
        80% · 80.0 MiB/100.0 MiB · 1.0 MiB/s · left 20s · 0/2 · higress/gateway:2.2.4
        90% · 90.0 MiB/100.0 MiB · 1.0 MiB/s · left 10s · 0/2 · higress/gateway:2.2.4
        100% · 100.0 MiB/100.0 MiB · 1.0 MiB/s · left 0s · 0/2 · higress/gateway:2.2.4
        error [bundle.file-damaged] a.yaml reads as 2, not 1
          → Copy the bundle again.
        higress/gateway:2.2.4 · 100.0 MiB
      ✗ fetch and pack: errors 1
      "
    `);
  });

  it("tells findings of one list that are alike together, with one remedy, and keeps none back when a failure ends it", () => {
    const { reporter, written } = recorded({});
    const drift = (plugin: string) =>
      finding("warning", "plugin.tag-drift", { plugin, reference: `r/${plugin}:1`, published: "1", found: "2" });
    reportFindings([drift("a"), damaged, drift("b"), drift("c")], reporter.report);
    const lines = written.join("").split("\n");
    expect(lines[0]).toBe("  warning [plugin.tag-drift] × 3");
    expect(lines.slice(1, 4).every((line) => line.startsWith("    ") && /r\/[abc]:1/.test(line))).toBe(true);
    expect(lines.filter((line) => line.startsWith("    → "))).toHaveLength(2);
    expect(lines.find((line) => line.includes("bundle.file-damaged"))).toMatch(/^ {2}error \[/);
    expect(reporter.findings).toHaveLength(4);
    // Two questions have found the same.
    const twice = recorded({});
    reportFindings([drift("a"), damaged, drift("a"), { ...damaged }], twice.reporter.report);
    expect(twice.reporter.findings).toEqual([drift("a"), damaged]);
    const cut = recorded({});
    cut.reporter.report({ type: "finding", finding: damaged, more: true });
    cut.reporter.failure(new Failure("INTERRUPTED", { left: "" }));
    expect(cut.written.join("")).toMatch(/bundle\.file-damaged[^]*INTERRUPTED/);
    const json = recorded({ mode: "json" });
    reportFindings([drift("a"), damaged], json.reporter.report);
    expect(json.written.map((line) => Object.keys(JSON.parse(line) as object))).toEqual([
      ["type", "finding", "message", "remedy"],
      ["type", "finding", "message", "remedy"],
    ]);
  });

  it("says the same in Chinese", () => {
    const it = recorded({ language: "zh" });
    play(it);
    expect(it.written.slice(0, 3).join("")).toMatchInlineSnapshot(`
      "▸ 下载并打包
        2 个条目，100.0 MiB
        10% · 10.0 MiB/100.0 MiB · 1.0 MiB/s · 剩余 1m30s · 0/2 · higress/gateway:2.2.4
      "
    `);
  });

  it("writes nothing that moves a cursor or paints, so that a pipe gets text", () => {
    const it = recorded({});
    play(it);
    expect(it.written.join("")).not.toMatch(/[\u001b\r]/);
  });
});

describe("the terminal reporter", () => {
  it("redraws one line at most five times a second, and leaves none behind", () => {
    const it = recorded({ mode: "terminal" });
    it.reporter.report(transfer);
    for (let step = 0; step < 100; step += 1) {
      it.clock.now += 10;
      it.reporter.report(moved(1000));
    }
    const drawn = it.written.filter((text) => text.includes("%"));
    expect(drawn.length).toBeGreaterThan(3);
    expect(drawn.length).toBeLessThanOrEqual(6);
    it.reporter.close();
    expect(it.written.at(-1)).toBe("\r\u001b[2K");
  });

  it("clears the progress line before any other line", () => {
    const it = recorded({ mode: "terminal" });
    it.reporter.report(transfer);
    it.reporter.report(moved(mebi));
    it.reporter.report({ type: "stalled", what: "blob", seconds: 30 });
    expect(it.written.slice(-2)).toEqual(["\r\u001b[2K", "  … no bytes: blob 30s\n"]);
  });

  it.each([20, 40, 80, 0])("never draws wider than a terminal of %d columns, Chinese names included", (columns) => {
    const it = recorded({ mode: "terminal", language: "zh", columns: () => columns });
    it.reporter.report(transfer);
    for (const name of ["网关镜像网关镜像网关镜像网关镜像", "插件", "x".repeat(200)]) {
      it.clock.now += 2000;
      it.reporter.report(moved(mebi, name));
    }
    // Lines that end may be as long as they are: only what is drawn over has to fit.
    const drawn = it.written.filter((text) => !text.endsWith("\n"));
    const widest = Math.max(...drawn.map((text) => widthOf(text.replaceAll("\r\u001b[2K", "").replace("\n", ""))));
    expect(widest).toBeLessThan(columns === 0 ? 80 : columns);
  });

  it("paints only with the style that it was given", () => {
    const plain = recorded({ mode: "terminal" });
    const painted = recorded({ mode: "terminal", style: (kind, text) => `<${kind}>${text}` });
    for (const { reporter } of [plain, painted]) reporter.failure(new Failure("FILE_MISSING", { path: "a.tar" }));
    expect(plain.written.join("")).toBe(
      '✗ this host: "a.tar" does not exist [FILE_MISSING]\n  next: Check the name; paths are relative to the file that names them.\n',
    );
    expect(painted.written.join("")).toMatch(/^<bad>✗/);
  });
});

describe("the JSON reporter", () => {
  it("writes one object a line: the events, progress once a second, findings and failures with their sentence", () => {
    const it = recorded({ mode: "json" });
    play(it);
    it.reporter.failure(new Failure("FINDINGS", { count: 1 }));
    const events = it.written
      .join("")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const count = (type: string): number => events.filter((event) => event["type"] === type).length;
    expect(["phase", "transfer", "stalled", "retry", "finding", "item", "failure"].map(count)).toEqual([
      2, 1, 1, 1, 1, 1, 1,
    ]);
    expect(count("progress")).toBe(100);
    expect(events.find(({ type }) => type === "finding")).toMatchObject({
      finding: { code: "bundle.file-damaged", facts: { file: "a.yaml" } },
      message: "a.yaml reads as 2, not 1",
    });
    expect(events.at(-1)).toMatchObject({ type: "failure", code: "FINDINGS", facts: { count: 1 } });
  });

  it("says the side of a failure by its name in any language: a program compares it", () => {
    const sides = [new Failure("FILE_MISSING", { path: "x" }), new Error("a bug")].map((error) => {
      const it = recorded({ mode: "json", language: "zh" });
      it.reporter.failure(error);
      return (JSON.parse(it.written.join("")) as { side: string }).side;
    });
    expect(sides).toEqual(["host", "host"]);
  });
});

describe("every reporter", () => {
  it.each(["terminal", "plain", "json"] as const)("in mode %s never shows more than there is", (mode) => {
    const it = recorded({ mode });
    it.reporter.report(transfer);
    for (let step = 0; step < 40; step += 1) {
      // A download that starts over again and again moves its bytes anew.
      it.clock.now += 11_000;
      it.reporter.report(moved(10 * mebi));
    }
    for (let item = 0; item < 9; item += 1)
      it.reporter.report({ type: "item", phase: "pack", name: `${item}`, bytes: mebi, state: "present" });
    it.reporter.report(moved(mebi, "late"));
    const text = it.written.join("");
    const shares = [...text.matchAll(/(\d+)%/g)].map(([, share]) => Number(share));
    const bytes = [...text.matchAll(/"moved":(\d+)/g)].map(([, count]) => Number(count));
    expect([...shares, ...bytes].length).toBeGreaterThan(0);
    expect(Math.max(0, ...shares)).toBeLessThanOrEqual(100);
    expect(Math.max(0, ...bytes)).toBeLessThanOrEqual(100 * mebi);
    expect(text).not.toMatch(/110\.0 MiB|3\/2/);
  });

  it.each(["terminal", "plain"] as const)("in mode %s takes escape sequences out of names of others", (mode) => {
    const it = recorded({ mode });
    const evil = "\u001b[31mroot\u001b]0;title\u0007\u202ecod";
    it.reporter.report({ type: "stalled", what: evil, seconds: 30 });
    it.reporter.report({ type: "item", phase: "pack", name: evil, bytes: 0, state: "failed" });
    it.reporter.failure(new Failure("FILE_MISSING", { path: evil }));
    expect(it.written.join("")).not.toMatch(/[\u001b\u0007\u202e]/);
  });

  it("remembers every finding, for the exit code", () => {
    const { reporter } = recorded({});
    reporter.report({ type: "finding", finding: damaged });
    reporter.report({ type: "finding", finding: finding("note", "registry.harbor", { host: "h", version: "2" }) });
    expect(reporter.findings.map(({ code }) => code)).toEqual(["bundle.file-damaged", "registry.harbor"]);
  });
});

it("what --json prints has no marks, in names of members neither, and nothing that is no text", () => {
  const marked = "a\u00ad\u034f\u115f\u200b\u3164\ufe0f\u{e0041}\ud800b";
  expect(jsonText({ [marked]: [marked, { [marked]: 1 }] })).toBe(canonicalJson({ ab: ["ab", { ab: 1 }] }));
});
