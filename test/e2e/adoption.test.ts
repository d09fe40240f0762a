import { execa } from "execa";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { aBuiltBundle } from "../rig/built-bundle.ts";
import { packSampleChart, sampleChart } from "../rig/charts/pack.ts";
import { aFarSide, farSideUnavailable, kubectl, namespace, said, succeeds, type FarSide } from "../rig/far-side.ts";
import { hgctlProfile, ownersApply, ownersInstall } from "../rig/install/owner.ts";
import { aDockerRegistry } from "../rig/registry-process.ts";
import { sampleContent } from "../rig/sample-site.ts";
import { seed } from "../rig/seed.ts";
import { program, type CliResult } from "../rig/cli.ts";
import { shellWord } from "../../src/std/shell-word.ts";
import { aTempDirectory } from "../rig/temp-directory.ts";

const unavailable = farSideUnavailable();
const because = unavailable === undefined ? "" : ` (not run: ${unavailable})`;

describe.skipIf(unavailable !== undefined)(`a Higress that somebody else installed${because}`, () => {
  const carried = { bundle: "", chart: "" };
  beforeAll(async () => {
    const directory = await aTempDirectory();
    carried.bundle = await aBuiltBundle({ folder: directory.path });
    carried.chart = await packSampleChart(directory.path);
    expect(existsSync(carried.chart)).toBe(true);
    return () => directory[Symbol.asyncDispose]();
  });

  it("is seen, refused without a decision, taken over with its owner's values, and given back as it was", async () => {
    await using old = await aDockerRegistry();
    await seed(old.url, sampleContent());
    await using far = await aFarSide({ helm: "4.1", hosts: { "registry.higress.example": old.url } });
    await ownersInstall(far, carried.chart);
    const before = await objectsOf(far);

    const seen = await far.run(["preflight", carried.bundle]);
    await expectOnPages(far, ["preflight", carried.bundle], /release-foreign/);
    const kept = ["preflight", carried.bundle, "--existing", "keep-values"];
    await expectOnPages(far, kept, /replicas=4|values-unread|release-drift|release-adopted/);
    expect(seen, said(seen)).toMatchObject({ exitCode: 3 });
    expect(seen.stderr).toMatch(/cluster\.release-foreign\].*higress \S+, revision 1; .*gateway\.replicas/);
    for (const more of [[], ["--existing", "refuse"], ["--skip", "preflight"]]) {
      const refused = await far.run(["install", carried.bundle, ...more]);
      expect(refused, said(refused)).toMatchObject({ exitCode: 3 });
      expect(refused.stderr).toContain("cluster.release-foreign");
    }
    expect(await objectsOf(far)).toEqual(before);

    // An install that could not see whose the release is has not touched it, and nothing that undoes it does.
    const blind = await far.cluster.restrictedKubeconfig("elsewhere");
    const unseen = await far.run(["install", carried.bundle, "--kubeconfig", blind]);
    expect(unseen, said(unseen)).toMatchObject({ exitCode: 3 });
    expect(unseen.stderr).toMatch(/cluster\.forbidden\][^]* secrets in higress-system/);
    const nothing = await succeeds(far, ["uninstall", "--yes"]);
    expect(nothing.stderr).toContain("no release was touched");
    expect(await objectsOf(far)).toEqual(before);

    // Somebody at a terminal is asked, and what is answered counts.
    const no = await atTerminal(far, ["install", carried.bundle], ["", ""]);
    expect(no, said(no)).toMatchObject({ exitCode: 3 });
    expect(no.stdout).toMatch(/--existing: keep-values[^]*keep-values, site-values/);
    expect(await objectsOf(far)).toEqual(before);
    await kubectl(far, "scale", "deployment", "higress-controller", "--replicas=0");
    const taken = await atTerminal(far, ["install", carried.bundle], ["keep-values", "yes"]);
    expect(taken, said(taken)).toMatchObject({ exitCode: 0 });
    expect(taken.stdout).toMatch(/cluster\.release-drift\].*higress-controller spec\.replicas: - → 1/);
    expect(taken.stdout).toContain("higress-core.gateway.replicas=4");
    expect(taken.stdout).toContain("higress-core.gateway.env.BANK_TOKEN=***");
    expect(taken.stdout).toContain("[cluster.values-unread]");
    expect(taken.stdout).toMatch(/does not read: higress-core\.gone\r?$/m);
    expect(taken.stdout).toContain("[cluster.release-adopted]");
    expect(said(taken)).not.toContain("s3cret");
    expect(await gateway(far)).toMatchObject({ replicas: 4, image: /^harbor\.airgap\.example:8443\// });
    expect(await kubectl(far, "get", "ingressclasses", "-o", "name")).toContain("/bank");
    // Ours now: no decision is asked for any more, and the owner's values are still below the site's.
    await succeeds(far, ["install", carried.bundle]);
    expect(await gateway(far)).toMatchObject({ replicas: 4 });

    // What somebody sets with helm after that is not taken back without a word.
    const where = ["-n", namespace, "--kubeconfig", far.cluster.kubeconfig];
    const theirs = ["--reuse-values", "--set", "higress-core.gateway.replicas=5"];
    await execa(far.tools.helm, ["upgrade", "higress", carried.chart, ...where, ...theirs]);
    const changed = await far.run(["install", carried.bundle]);
    expect(changed, said(changed)).toMatchObject({ exitCode: 3 });
    expect(changed.stderr).toMatch(/cluster\.release-changed\].*install 3 .*gateway\.replicas: 4 → 5$/m);
    expect(await gateway(far)).toMatchObject({ replicas: 5 });
    await execa(far.tools.helm, ["rollback", "higress", ...where]);

    // What is proved and handed over is what was installed.
    const out = join(far.folder, "out");
    const rendered = await succeeds(far, ["render", carried.bundle, "--out", out]);
    expect(rendered.stderr).toMatch(/: 0 point outside/);
    expect(await readFile(join(out, "4-release-higress.yaml"), "utf8")).toMatch(/^ {2}replicas: 4$/m);
    await succeeds(far, ["check", carried.bundle]);

    const spared = await far.run(["uninstall", "--yes"]);
    expect(spared, said(spared)).toMatchObject({ exitCode: 1 });
    expect(spared.stderr).toMatch(/RELEASE_ADOPTED[^]*`rollback --to owner` returns to revision 1;/);
    const first = await succeeds(far, ["rollback", "--yes"]);
    expect(first.stderr).toMatch(/▸ take back what was installed\n[^]*back to install 2/);
    const owner = await succeeds(far, ["rollback", "--yes"]);
    expect(owner.stderr).toContain(`is back at revision 1 of its owner: higress ${sampleChart.version}`);
    expect(await objectsOf(far)).toEqual(before);
    const values = ["get", "values", "higress", "-n", namespace, "-o", "json", "--kubeconfig", far.cluster.kubeconfig];
    expect(JSON.parse((await execa(far.tools.helm, values)).stdout)).toMatchObject({
      global: { ingressClass: "bank" },
      "higress-core": { gateway: { replicas: "4" } },
    });
    const again = await far.run(["uninstall", "--yes"]);
    expect(again.stderr, said(again)).toContain("RECEIPT_MISSING");

    const dropped = await succeeds(far, ["install", carried.bundle, "--existing", "site-values"]);
    expect(dropped.stderr).toMatch(/its owner's values go: .*gateway\.replicas=4/);
    expect(await gateway(far)).toMatchObject({ replicas: 1 });
    await succeeds(far, ["rollback", "--yes"]);
    expect(await gateway(far)).toMatchObject({ replicas: 4 });
  });

  it("without helm is seen too, taken over with what hgctl wrote down, and given back as it stood", async () => {
    await using old = await aDockerRegistry();
    await seed(old.url, sampleContent());
    await using far = await aFarSide({ helm: "4.1", hosts: { "registry.higress.example": old.url } });
    await ownersApply(far, carried.chart);
    const before = await objectsOf(far);

    const applied = await far.run(["preflight", carried.bundle]);
    expect(applied, said(applied)).toMatchObject({ exitCode: 3 });
    expect(applied.stderr).toMatch(/cluster\.objects-foreign\].* \d+ objects of higress .* from kubectl apply/);
    const unknown = await far.run(["install", carried.bundle, "--existing", "keep-values"]);
    expect(unknown, said(unknown)).toMatchObject({ exitCode: 3 });
    expect(unknown.stderr).toMatch(/cluster\.values-unknown\].*higress-gateway spec\.replicas: 4 → 1/);
    await kubectl(far, "create", "configmap", "higress-profile", `--from-literal=profile=${hgctlProfile}`);
    const refused = await far.run(["install", carried.bundle]);
    expect(refused, said(refused)).toMatchObject({ exitCode: 3 });
    expect(refused.stderr).toMatch(/cluster\.objects-foreign\].*from hgctl.*higress-core\.gateway\.replicas/);
    await expectOnPages(far, ["preflight", carried.bundle], /objects-foreign/);
    expect(await objectsOf(far)).toMatchObject(before);

    const taken = await succeeds(far, ["install", carried.bundle, "--existing", "keep-values"]);
    expect(taken.stderr).toMatch(/\d+ objects of hgctl become its revision 1, as they stand/);
    expect(taken.stderr).toContain("higress-core.gateway.replicas=4");
    expect(await gateway(far)).toMatchObject({ replicas: 4, image: /^harbor\.airgap\.example:8443\// });
    expect(await kubectl(far, "get", "ingressclasses", "-o", "name")).toContain("/bank");
    // What was decided is not forever, and the way back is one step from anywhere.
    const dropped = await succeeds(far, ["install", carried.bundle, "--existing", "site-values"]);
    expect(dropped.stderr).toMatch(/its owner's values go: .*higress-core\.gateway\.replicas=4/);
    expect(await gateway(far)).toMatchObject({ replicas: 1 });
    expect((await succeeds(far, ["history"])).stdout).toMatch(/^- +1 .* rollback --to owner$/m);
    const owner = await succeeds(far, ["rollback", "--to", "owner", "--yes"]);
    expect(owner.stderr).toContain("is back at revision 1 of its owner");
    expect(withoutMarks(await objectsOf(far))).toMatchObject(withoutMarks(before));
  });
});

/** The program as it is where somebody sits in front of it: `script` of util-linux gives it a terminal. */
async function atTerminal(far: FarSide, command: readonly string[], answers: readonly string[]): Promise<CliResult> {
  const line = [...program, ...far.args(command)].map(shellWord).join(" ");
  const env = { PATH: "/usr/bin:/bin", HOME: far.folder, NO_COLOR: "1", HIGRESS_AIRGAP_EXE_DIR: "" };
  const { exitCode, stdout, stderr } = await execa("script", ["-qec", line, "/dev/null"], {
    cwd: far.folder,
    env,
    extendEnv: false,
    reject: false,
    input: answers.map((answer) => `${answer}\n`).join(""),
  });
  return { exitCode, stdout, stderr };
}

/** Holds these lines, and what is to be done about them, to both pages. */
async function expectOnPages(far: FarSide, command: readonly string[], lines: RegExp): Promise<void> {
  for (const language of ["en", "zh"]) {
    const { stderr } = await far.run([...command, "--lang", language]);
    const all = stderr.split("\n");
    const isTold = (line = ""): boolean => lines.test(line);
    const told = all.filter((line, at) => isTold(line) || (line.startsWith("    → ") && isTold(all[at - 1])));
    const typed = ["higress-airgap", command[0], "higress-2.2.4.tar", "--site site.yaml", ...command.slice(2)];
    const screen = [`$ ${typed.join(" ")}`, ...told].join("\n");
    expect(await readFile(`docs/${language}/existing.md`, "utf8")).toContain(`\`\`\`text\n${screen}\n\`\`\`\n`);
  }
}

/** Helm says of what it owns that it does. */
function withoutMarks(objects: Readonly<Record<string, object>>): object {
  const marks = (key: string, value: unknown): unknown => (key === "app.kubernetes.io/managed-by" ? undefined : value);
  return JSON.parse(JSON.stringify(objects, marks)) as object;
}

async function gateway(far: FarSide): Promise<{ readonly replicas: number; readonly image: string }> {
  const text = await kubectl(far, "get", "deployment", "higress-gateway", "-o", "json");
  const { spec } = JSON.parse(text) as {
    spec: { replicas: number; template: { spec: { containers: { image: string }[] } } };
  };
  return { replicas: spec.replicas, image: spec.template.spec.containers[0]?.image ?? "" };
}

interface Live {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: object };
  readonly spec?: object;
  readonly data?: object;
  readonly imagePullSecrets?: object;
  readonly controller?: string;
}

/** What the owner has, object by object, without what changes by itself. */
async function objectsOf(far: FarSide): Promise<Readonly<Record<string, object>>> {
  const kinds = "deployments,services,configmaps,serviceaccounts,secrets,ingressclasses,jobs";
  const { items } = JSON.parse(await kubectl(far, "get", kinds, "-o", "json")) as { items: Live[] };
  // Helm's own record of its revisions is no object of the release.
  const theirs = items.filter(({ kind, metadata }) => !(kind === "Secret" && metadata.name.startsWith("sh.helm.")));
  return Object.fromEntries(
    theirs.map(({ kind, metadata, spec, data, imagePullSecrets }) => [
      `${kind} ${metadata.name}`,
      { labels: metadata.labels, spec, data, imagePullSecrets },
    ]),
  );
}
