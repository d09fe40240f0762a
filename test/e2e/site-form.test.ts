import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { beforeAll, describe, expect, it } from "vitest";
import { aBuiltBundle } from "../rig/built-bundle.ts";
import { cli, type CliResult } from "../rig/cli.ts";
import { writeKubeconfig } from "../rig/cluster/kubeconfig.ts";
import { aFarSide, farSideUnavailable, harborHost, namespace, said, type FarSide } from "../rig/far-side.ts";
import { aTempDirectory } from "../rig/temp-directory.ts";

const unavailable = farSideUnavailable();
const because = unavailable === undefined ? "" : ` (not run: ${unavailable})`;

describe.skipIf(unavailable !== undefined)(`the form that a site hands in${because}`, () => {
  let far: FarSide;
  let bundle: string;

  beforeAll(async () => {
    const folder = await aTempDirectory();
    bundle = await aBuiltBundle({ folder: folder.path });
    far = await aFarSide({ helm: "4.2" });
    return async () => {
      await far[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    };
  });

  it("asks in both languages for what this site and this bundle need", async () => {
    await far.writeSite({ inside: ["sso.bank.example"] });
    const form = async (language: string): Promise<string> =>
      (await succeeds(["site", "form", bundle, "--site", far.site, "--helm", far.tools.helm, "--lang", language]))
        .stdout;
    const [en, zh] = [await form("en"), await form("zh")];
    for (const page of [en, zh]) {
      expect(page).not.toMatch(/\{\w+\}|undefined/);
      for (const fact of [`\`${harborHost}\``, `\`${namespace}\``, "`higress`", "key-auth", "sso.bank.example"])
        expect(page).toContain(fact);
      expect(page).toMatch(new RegExp(`^${harborHost}/higress/\\S+:2`, "m"));
    }
    expect(zh).toContain("致仓库管理员");
    const count = (page: string): number => page.match(/^- \[ \] /gm)?.length ?? 0;
    expect(count(en)).toBe(count(zh));
  });

  it("brings rights that are enough for preflight, install, status, doctor, check, rollback and uninstall", async () => {
    await far.writeSite();
    const out = join(far.folder, "form");
    await succeeds(["site", "form", bundle, "--site", far.site, "--helm", far.tools.helm, "--out", out]);
    const roles = join(out, "installer-role.yaml");
    expect(await readFile(roles, "utf8")).not.toMatch(/\*/);
    const admin = ["--kubeconfig", far.cluster.kubeconfig];
    await execa(far.tools.kubectl, [...admin, "apply", "-f", roles]);
    const account = ["create", "token", "higress-airgap-installer", "--namespace", namespace, "--duration", "8h"];
    const { stdout: token } = await execa(far.tools.kubectl, [...admin, ...account]);
    const { server, caFile } = far.cluster;
    const kubeconfig = await writeKubeconfig(join(far.folder, "installer.kubeconfig"), { server, caFile, token });
    await far.writeSite({ cluster: { kubeconfig, rolloutSeconds: 300 } });
    const forbidden: string[] = [];
    for (const command of [
      ["preflight", bundle],
      ["install", bundle],
      ["status", bundle],
      ["history"],
      ["doctor"],
      ["check", bundle],
      ["install", bundle],
      ["rollback", "--yes"],
      ["uninstall", "--yes"],
    ]) {
      const ended = await far.run(command);
      const words = said(ended)
        .split("\n")
        // Whether a release of another namespace owns something is asked where one may, and said where not.
        .filter((line) => /forbidden|may not /i.test(line) && !/cluster\.not-asked.*other namespaces/.test(line));
      forbidden.push(...words.map((line) => `${command.join(" ")}: ${line}`));
      expect.soft(ended.exitCode, said(ended)).toBe(0);
    }
    expect(forbidden).toEqual([]);
  });
});

async function succeeds(command: readonly string[]): Promise<CliResult> {
  const ended = await cli(command, { cwd: tmpdir() });
  expect(ended, said(ended)).toMatchObject({ exitCode: 0 });
  return ended;
}
