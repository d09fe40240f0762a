import { describe, expect, it } from "vitest";
import { ExitCode, exitCodeFor, exitCodeOf } from "../../../src/cli/exit-code.ts";
import { Failure, failureCodes } from "../../../src/model/failure.ts";
import { catalogueOf } from "../../../src/ui/language.ts";
import { runCommand } from "../../rig/command.ts";

const findingCodes = Object.keys(catalogueOf("en").findings);

describe("explain", () => {
  it("says side, sentence, next step and exit code of a failure", async () => {
    const { stdout, code } = await runCommand(["explain", "REGISTRY_STALLED"]);
    expect(code).toBe(0);
    expect(stdout).toBe(
      "REGISTRY_STALLED (failure, side: source, exit code 1)\n" +
        "  <host> sent nothing for <seconds> seconds at <action>\n" +
        "  next: Run the same command again: it goes on where it stopped.\n",
    );
  });

  it("speaks Chinese", async () => {
    const { stdout } = await runCommand(["explain", "registry.read-only"], { language: "zh" });
    expect(stdout).toMatch(/^registry\.read-only \(问题，退出码 3\)\n {2}<host> 处于只读模式\n {2}下一步：/);
  });

  it.each(["en", "zh"] as const)("knows every code in %s, in any case of letters", async (language) => {
    for (const code of [...failureCodes, ...findingCodes].filter((_, at) => at % 9 === 0)) {
      const { stdout } = await runCommand(["explain", code.toLowerCase()], { language });
      expect(stdout.split("\n")[0]).toContain(code);
    }
  });

  it("lists every code and every exit code when none is named", async () => {
    const { stdout } = await runCommand(["explain"]);
    const lines = stdout.split("\n").map((line) => line.trim());
    expect([...failureCodes, ...findingCodes].filter((code) => !lines.includes(code))).toEqual([]);
    for (const code of [0, 1, 2, 3, 130]) expect(stdout).toMatch(new RegExp(`^  ${code}  +\\S`, "m"));
  });

  it("shows all codes that contain a word", async () => {
    const { stdout } = await runCommand(["explain", "volume"]);
    const heads = [...stdout.matchAll(/^(\S+) \(/gm)].map(([, code]) => code);
    expect(heads).toEqual([...failureCodes, ...findingCodes].filter((code) => /volume/i.test(code)));
  });

  it("names the nearest code when there is none like that", async () => {
    await expect(runCommand(["explain", "REGISTRY_TSL"])).rejects.toMatchObject({
      code: "USAGE",
      facts: { what: "there is no code REGISTRY_TSL; did you mean REGISTRY_TLS?" },
    });
  });

  it("gives machines everything as JSON", async () => {
    const { stdout } = await runCommand(["explain", "--json"]);
    const entries = JSON.parse(stdout) as { code: string; exitCode: number }[];
    expect(entries.map(({ code }) => code)).toEqual([...failureCodes, ...findingCodes]);
    expect(entries.find(({ code }) => code === "USAGE")?.exitCode).toBe(2);
  });
});

describe("the exit code", () => {
  it("is 2 for wrong use, 3 for findings, 130 for an interruption, and 1 for every other failure", () => {
    const special = failureCodes.filter((code) => exitCodeFor(code) !== ExitCode.failed);
    expect(Object.fromEntries(special.map((code) => [code, exitCodeFor(code)]))).toEqual({
      USAGE: 2,
      CONFIG_INVALID: 2,
      FILE_ENCODING: 2,
      NOT_CONFIRMED: 2,
      FINDINGS: 3,
      INTERRUPTED: 130,
    });
  });

  it("is 1 for a bug, and 130 for whatever broke because of a signal", () => {
    expect(exitCodeOf(new TypeError("x"), false)).toBe(1);
    expect(exitCodeOf(new TypeError("x"), true)).toBe(130);
    expect(exitCodeOf(new Failure("FINDINGS", { count: 1 }), false)).toBe(3);
  });
});
