import { describe, expect, it } from "vitest";
import { widthOf } from "../../../src/ui/width.ts";
import { recorded, type Recorded } from "../../rig/recorded-reporter.ts";

/** Resolving 3 references, of which the second takes 25 seconds, then a phase of which nothing is known. */
function playSteps({ reporter, clock }: Recorded): void {
  const tick = (seconds: number): void => {
    for (let passed = 0; passed < seconds * 2; passed += 1) {
      clock.now += 500;
      reporter.tick();
    }
  };
  const step = (name: string, done: number): void => {
    clock.now += 300;
    reporter.report({ type: "step", phase: "resolve", name, done, items: 3 });
  };
  reporter.report({ type: "job", phases: ["discover", "resolve", "prove", "pack"] });
  reporter.report({ type: "phase", phase: "resolve", state: "started" });
  step("registry.example/higress/gateway:2.2.4", 0);
  step("registry.example/higress/console-with-a-name-that-is-longer-than-a-line-has-columns:2.2.4", 1);
  tick(25);
  step("registry.example/higress/pilot:2.2.4", 2);
  reporter.report({ type: "phase", phase: "resolve", state: "done", detail: "3" });
  reporter.report({ type: "phase", phase: "prove", state: "started" });
  tick(11);
  reporter.report({ type: "phase", phase: "prove", state: "done" });
  reporter.close();
  tick(30);
}

describe("what moves no bytes", () => {
  it("has a line every ten seconds without a terminal: how many of how many, since when, and which", () => {
    const it = recorded({});
    playSteps(it);
    const long = "registry.example/higress/console-with-a-name-that-is-longer-than-a-line-has-columns:2.2.4";
    expect(it.written.join("").split("\n")).toEqual([
      "▸ resolve references",
      `  1/3 · 10s · ${long}`,
      `  1/3 · 20s · ${long}`,
      "✓ resolve references (3)",
      "▸ prove that nothing points outside",
      "  10s · prove that nothing points outside",
      "✓ prove that nothing points outside: no findings",
      "",
    ]);
  });

  it.each(["en", "zh"] as const)(
    "is drawn on a terminal in %s, with the whole job, and a name cut in its middle",
    (language) => {
      const it = recorded({ mode: "terminal", language, columns: () => 80 });
      playSteps(it);
      const drawn = it.written.filter((text) => text.startsWith("  ["));
      expect(drawn[0]).toBe("  [=>--]  0/3 · 0s · registry.example/higress/gateway:2.2.4");
      expect(drawn.at(-1)).toMatch(/^ {2}\[==>-\] {2}11s · \S/);
      const cut = drawn.find((text) => text.includes("1/3 · 12s"));
      expect(cut).toMatch(/registry\.\S*…\S*has-columns:2\.2\.4$/);
      expect(Math.max(...drawn.map(widthOf))).toBe(79);
      expect(it.written.at(-1)).toMatch(/\n$/);
    },
  );

  it("is progress for machines, once a second, and nothing where nothing is known", () => {
    const it = recorded({ mode: "json" });
    playSteps(it);
    const events = it.written.map((text) => (text === "" ? undefined : (JSON.parse(text) as { type: string })));
    const progress = events.filter((event) => event?.type === "progress");
    expect(progress).toHaveLength(25);
    expect(progress[0]).toMatchObject({ phase: "resolve", itemsDone: 1, items: 3 });
  });
});
