import { execa } from "execa";
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { aBuiltBundle, builtForAll } from "../rig/built-bundle.ts";
import {
  aFarSide,
  farSideUnavailable,
  harborHost,
  kubectl,
  namespace,
  password,
  said,
  succeeds,
  type FarSide,
} from "../rig/far-side.ts";
import { cli } from "../rig/cli.ts";
import { writeSampleSite } from "../rig/sample-site.ts";
import { tools } from "../rig/tools.ts";
import type { KubeObject } from "../../src/model/kubernetes.ts";
import { gitopsCrds, gitopsCrdsUnavailable } from "../rig/gitops/crds.ts";
import { isReady, podWhere } from "../rig/pod-where.ts";
import { aTempDirectory } from "../rig/temp-directory.ts";

const unavailable = farSideUnavailable();
const schemas = gitopsCrdsUnavailable();
const because = [unavailable, schemas].flatMap((why) => (why === undefined ? [] : [` (not run: ${why})`])).join("");
const carried = builtForAll(unavailable);

describe.skipIf(unavailable !== undefined)(`render${because}`, () => {
  it("writes what another team can apply with kubectl alone, by the commands of its README, and check is content", async () => {
    await using far = await aFarSide({ helm: "4.2" });
    await succeeds(far, ["push", carried.bundle]);
    const folder = join(far.folder, "handed");
    await mkdir(folder);
    await writeFile(join(folder, "4-release-higress-in-old.yaml"), "{}");
    await writeFile(join(folder, "notes.txt"), "");
    const { stderr } = await succeeds(far, ["render", carried.bundle, "--out", "handed"]);
    expect(stderr.match(/^.*render\.leftover.*$/gm)).toEqual([
      expect.stringContaining("4-release-higress-in-old.yaml is not of this render"),
    ]);
    for (const name of ["4-release-higress-in-old.yaml", "notes.txt"]) await rm(join(folder, name));
    expect(stderr).toMatch(
      /\d+ image references and \d+ strings read: 0 point outside harbor\.airgap\.example:8443\/higress/,
    );
    expect((await readdir(folder)).sort()).toEqual([
      "1-namespace.yaml",
      "2-before.yaml",
      "3-crds.yaml",
      "4-release-higress.yaml",
      "4-values-higress-1.json",
      "5-overlay.yaml",
      "6-plugins.yaml",
      "README.md",
      "proof.json",
    ]);
    for (const name of await readdir(folder))
      expect(await readFile(join(folder, name), "utf8")).not.toContain(password);
    expect(JSON.parse(await readFile(join(folder, "proof.json"), "utf8"))).toMatchObject({ findings: [] });

    const auth = Buffer.from(`pusher:${password}`).toString("base64");
    await writeFile(join(folder, "config.json"), JSON.stringify({ auths: { [harborHost]: { auth } } }));
    const commands = [...(await readFile(join(folder, "README.md"), "utf8")).matchAll(/^ {3}((?:kubectl|helm) .*)$/gm)];
    expect(commands.length).toBeGreaterThan(7);
    for (const [, command = ""] of commands) {
      if (command.startsWith("helm")) continue;
      const [, ...words] = command.split(" ");
      await execa(far.tools.kubectl, ["--kubeconfig", far.cluster.kubeconfig, ...words], { cwd: folder });
    }
    for (const app of ["higress-gateway", "higress-controller"])
      await podWhere(far.cluster, { namespace, labels: { app } }, isReady);
    await succeeds(far, ["check", carried.bundle]);

    // Helm finds its marks on what kubectl applied, takes it, and still has them when the files are applied once more.
    await succeeds(far, ["install", carried.bundle, "--skip", "push", "--force-conflicts"]);
    expect(changesIn(await succeeds(far, ["render", carried.bundle, "--diff"]))).toEqual(noChange);
    const files = ["apply", "--server-side", "--field-manager=helm", "-n", namespace, "-f", "4-release-higress.yaml"];
    await execa(far.tools.kubectl, ["--kubeconfig", far.cluster.kubeconfig, ...files], { cwd: folder });
    const marks =
      "{.metadata.labels.app\\.kubernetes\\.io/managed-by} {.metadata.annotations.meta\\.helm\\.sh/release-name}";
    expect(await kubectl(far, "get", "deployment", "higress-gateway", "-o", `jsonpath=${marks}`)).toBe("Helm higress");
    await appliesTheSame(far);
  });

  it("shows by --diff what an install would change, phase by phase, changes nothing, and shows no secret", async () => {
    await using far = await aFarSide({ helm: "3.17" });
    // Nothing on PATH: what is shown must not need a program that a bare host lacks.
    const env = { PATH: far.folder };
    const fresh = await succeeds(far, ["render", carried.bundle, "--diff"], { env });
    expect(fresh.stdout).toMatch(/^# namespace: new: Namespace\/higress-system$/m);
    expect(fresh.stdout).toMatch(/^# release: new: .*Deployment\/higress-gateway/m);
    await expect(kubectl(far, "get", "namespace", namespace)).rejects.toThrow(/not found/);
    await kubectl(far, "create", "namespace", namespace);
    const ready = await succeeds(far, ["render", carried.bundle, "--diff"], { env });
    expect(ready.stdout.split("\n").slice(1)).toEqual(fresh.stdout.split("\n").slice(1));
    expect(ready.stdout).toMatch(/^# namespace: no change$/m);

    const podEnvs = { GONE: "1" };
    await far.writeSite({ values: { "higress-console": { podEnvs } } });
    await succeeds(far, ["install", carried.bundle]);
    const same = await succeeds(far, ["render", carried.bundle, "--diff"], { env });
    expect(changesIn(same)).toEqual(noChange);
    expect(same.stdout).toMatch(/not compared.*: Secret\/higress-console$/m);

    await far.writeSite({
      values: { "higress-core": { gateway: { replicas: 2 } }, "higress-console": { certmanager: { enabled: false } } },
    });
    const more = await succeeds(far, ["render", carried.bundle, "--diff"]);
    expect(more.stdout).toMatch(
      /^\+\+\+ Deployment\/higress-system\/higress-gateway$[^]*^- {2}replicas: 1\n\+ {2}replicas: 2$/m,
    );
    expect(more.stdout.match(/^[-+](?![-+]).*$/gm)).toEqual([
      expect.stringMatching(/^- +- name: GONE$/),
      expect.stringMatching(/^- +value: '1'$/),
      "-  replicas: 1",
      "+  replicas: 2",
    ]);
    expect(more.stdout).toMatch(/^# release: removed by the upgrade: .*Deployment\/cert-manager/m);
    expect(said(more)).not.toContain(password);
    expect(await kubectl(far, "get", "deployment", "higress-gateway", "-o", "jsonpath={.spec.replicas}")).toBe("1");
  });
});

describe("values files", () => {
  it("of the spec and of the site reach helm as they are written, and the later one wins", async () => {
    await using folder = await aTempDirectory();
    const { helm } = await tools("4.1");
    const file = async (name: string, environment: string): Promise<string> => {
      const path = join(folder.path, name);
      await writeFile(path, `higress-console:\n  podEnvs:\n${environment}`);
      return path;
    };
    const ofSpec = await file("spec-values.yaml", "    OF_SPEC: off\n    BOTH: 0777\n");
    const ofSite = await file("site-values.yaml", "    BOTH: yes\n");
    const bundle = await aBuiltBundle({
      folder: folder.path,
      spec: ({ charts }) => ({ charts: [{ ...(charts as [object])[0], valuesFiles: [ofSpec] }] }),
    });
    const render = async (more: Readonly<Record<string, unknown>>, ...flags: readonly string[]) => {
      const site = await writeSampleSite(folder.path, { host: harborHost, url: "http://127.0.0.1:1", more });
      return cli(["render", bundle, "--site", site, "--helm", helm, ...flags], { cwd: folder.path });
    };
    const rendered = async (valuesFiles: readonly string[], ...flags: readonly string[]): Promise<string> => {
      const { stdout, stderr, exitCode } = await render({ valuesFiles, releases }, ...flags);
      expect(exitCode, stderr).toBe(0);
      return stdout;
    };
    let releases = {};
    const both = (text: string) => /name: BOTH\s+value: "(.*)"/.exec(text)?.[1];
    const plain = await rendered([]);
    expect(plain).toMatch(/name: OF_SPEC\s+value: "false"/);
    expect(both(plain)).toBe("511");
    expect(both(await rendered([ofSite]))).toBe("true");
    expect(both(await rendered([ofSite, ofSpec]))).toBe("511");

    // Of this release alone over what every chart gets, and the command line over both.
    const podEnvs = { BOTH: "of the release" };
    releases = { higress: { values: { "higress-console": { podEnvs } } }, nacos: { values: { podEnvs } } };
    expect(both(await rendered([ofSite]))).toBe("of the release");
    expect(both(await rendered([ofSite], "--set", "higress-console.podEnvs.BOTH=typed"))).toBe("typed");

    const refused = await render(
      { releases, values: { global: { ingressClass: "1: 2: 3" } } },
      "--set",
      "higress-core.gateway.replicas=1: 2: 3",
    );
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toMatch(
      /SITE_VALUE_REFUSED.*higress-core\.gateway\.replicas \(--set\), global\.ingressClass \(\S+site\.yaml: values\)/s,
    );
    expect(refused.stderr).not.toMatch(/HELM_FAILED|--debug/);
  });
});

/** What the engines would apply leaves an installed release as it is, object by object, and fits their real schemas. */
async function appliesTheSame(far: FarSide): Promise<void> {
  const repository = ["--repo-url", "https://git.airgap.example/platform.git", "--repo-path", "clusters/one/higress"];
  const on = (...args: readonly string[]) =>
    execa(far.tools.kubectl, ["--kubeconfig", far.cluster.kubeconfig, ...args], { cwd: far.folder });
  for (const engine of ["kustomize", "argocd", "flux"]) {
    const own = engine === "kustomize" ? [] : repository;
    await succeeds(far, ["render", carried.bundle, "--for", engine, "--out", engine, ...own]);
    const apply = ["apply", "--server-side", "--dry-run=server", "--force-conflicts", "--field-manager=engine"];
    const made = objectsIn((await on(...apply, "-k", engine, "-o", "json")).stdout);
    const live = objectsIn((await on("get", "-k", engine, "-o", "json")).stdout);
    expect(made.size).toBeGreaterThan(20);
    expect(made).toEqual(live);
    expect([...made.keys()].filter((key) => key.startsWith("Secret/"))).toEqual([]);
    expect(await readFile(join(far.folder, engine, "README.md"), "utf8")).toContain("higress-console");
  }
  const wave = await execa(far.tools.kubectl, ["kustomize", "argocd"], { cwd: far.folder });
  expect(wave.stdout.match(/sync-wave: "\d"/g)?.length).toBe(wave.stdout.match(/^kind: /gm)?.length);
  if (schemas !== undefined) return;
  await on("apply", "--server-side", "-f", gitopsCrds());
  // One of this moment has no conditions yet, on which kubectl fails.
  const established = () => on("wait", "--for=condition=Established", "-f", gitopsCrds());
  await vi.waitFor(established, { timeout: 150_000, interval: 500 });
  for (const space of ["argocd", "flux-system"]) await on("create", "namespace", space);
  for (const file of ["argocd/argocd.yaml", "flux/flux.yaml"])
    await on("apply", "--server-side", "--validate=strict", "-f", file);
}

/** Without what only says who made an object, and when; kustomize puts what a patch adds to a list before the rest. */
function objectsIn(json: string): ReadonlyMap<string, unknown> {
  const inOrder = (key: string, value: unknown): unknown =>
    /^(env|volumes|volumeMounts)$/.test(key) && Array.isArray(value)
      ? (value as readonly { readonly name: string }[]).toSorted((a, b) => a.name.localeCompare(b.name))
      : value;
  const { items } = JSON.parse(json, inOrder) as { readonly items: readonly KubeObject[] };
  return new Map(
    items.map(({ metadata, ...object }) => {
      const { name, namespace: into, labels, annotations = {} } = metadata;
      const kept = Object.entries(annotations).filter(([key]) => !/^(argocd|kustomize)\./.test(key));
      const said = { ...object, metadata: { labels, annotations: Object.fromEntries(kept) }, status: undefined };
      return [`${object.kind}/${into ?? ""}/${name}`, said];
    }),
  );
}

const noChange = ["namespace", "before", "crds", "release", "overlay", "plugins"].map(
  (phase) => `# ${phase}: no change`,
);

function changesIn({ stdout }: { readonly stdout: string }): readonly string[] {
  return stdout.split("\n").filter((line) => line !== "" && !/not compared|hooks/.test(line));
}
