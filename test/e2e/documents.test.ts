import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { aBuiltBundle } from "../rig/built-bundle.ts";
import { packSampleChart } from "../rig/charts/pack.ts";
import { cli, type CliResult } from "../rig/cli.ts";
import { dockerRegistryUnavailable } from "../rig/registry-process.ts";
import { writeSampleSite } from "../rig/sample-site.ts";
import { editJson, tamperedFile, type Tampering } from "../rig/tampered-bundle.ts";
import { aTempDirectory } from "../rig/temp-directory.ts";
import { tools } from "../rig/tools.ts";

const unavailable = dockerRegistryUnavailable();
const because = unavailable === undefined ? "" : ` (not run: ${unavailable})`;
const release = "manifests/release.json";

/** The second chart of a release that somebody wrote who wants a file, or a program, of the host that installs it. */
const foreign = {
  name: "../../OUT",
  version: "0/../../OUT",
  file: "charts/higress-2.2.4.tgz",
  release: "--post-renderer=/bin/false",
  namespace: "../x",
  valuesFiles: [],
  values: {},
  relocation: "../../manifests/relocation/higress.yaml",
};
const withForeign = editJson((document) => {
  (document["charts"] as object[]).push(foreign);
});

const nested = `${'{"a":'.repeat(9000)}1${"}".repeat(9000)}`;

describe.skipIf(unavailable !== undefined)(`documents that were packed wrong, with every sum right${because}`, () => {
  const rig = { folder: "", bundle: "", site: "", helm: "" };
  let count = 0;

  beforeAll(async () => {
    const folder = await aTempDirectory();
    // What is written beside the folder is seen: nobody else writes there.
    rig.folder = join(folder.path, "inside");
    await mkdir(rig.folder);
    rig.bundle = await aBuiltBundle({ folder: rig.folder });
    rig.helm = (await tools("3.17")).helm;
    const host = "harbor.airgap.example";
    rig.site = await writeSampleSite(rig.folder, { host, url: "http://127.0.0.1:9", more: { plugins: {} } });
    return () => folder[Symbol.asyncDispose]();
  });

  const run = (...args: readonly string[]): Promise<CliResult> => cli(args, { cwd: rig.folder });
  async function bundleWith(changes: Tampering): Promise<string> {
    return tamperedFile(rig.bundle, changes, join(rig.folder, `tampered-${(count += 1)}.tar`));
  }

  it("are nothing in a bundle that is as it was built", async () => {
    for (const command of ["verify", "inspect"]) {
      const { exitCode, stderr } = await run(command, rig.bundle);
      expect(stderr).not.toContain("bundle.document-wrong");
      expect(exitCode).toBe(0);
    }
  });

  it("are named one by one by verify and inspect, in both languages", async () => {
    const bundle = await bundleWith({ [release]: withForeign });
    for (const command of ["verify", "inspect"]) {
      const en = await run(command, bundle);
      expect(en.exitCode).toBe(3);
      for (const place of ["name", "version", "release", "namespace", "relocation"])
        expect(en.stderr).toMatch(new RegExp(`^    ${release}.*charts\\.1\\.${place}: expected`, "m"));
      expect(en.stderr).toMatch(/error \[bundle\.document-wrong\] × \d/);
      expect(en.stderr).toMatch(/charts\.1\.release: expected a release name: small letters/);
      const zh = await run(command, bundle, "--lang", "zh");
      expect(zh.stderr).toMatch(/charts\.1\.release：应为发布名：小写字母/);
      expect(zh.exitCode).toBe(3);
    }
  });

  it("keep every other command from beginning, and no file is made and no program started by them", async () => {
    const bundle = await bundleWith({ [release]: withForeign });
    const before = (await readdir(join(rig.folder, ".."))).sort();
    const commands = [
      ["render", bundle, "--site", rig.site, "--out", "rendered", "--helm", rig.helm],
      ["preflight", bundle, "--site", rig.site, "--helm", rig.helm],
      ["push", bundle, "--site", rig.site],
      ["install", bundle, "--site", rig.site, "--helm", rig.helm],
      ["plugins", "list", bundle],
      ["plugins", "export", bundle, "--directory", "exported"],
      ["diff", bundle, rig.bundle],
      ["serve", bundle, "--port", "0"],
    ];
    for (const args of commands) {
      const { exitCode, stderr } = await run(...args);
      expect(stderr, args[0]).toMatch(/manifests\/release\.json charts\.1\.name.*\[BUNDLE_MALFORMED\]/);
      expect(stderr).toMatch(/ verify names where the file can be read/);
      expect(exitCode).toBe(1);
    }
    const made = await readdir(rig.folder);
    expect(made).not.toContain("rendered");
    expect(made).not.toContain("exported");
    expect((await readdir(join(rig.folder, ".."))).sort()).toEqual(before);
  });

  it.each<[string, Tampering, RegExp]>([
    ["an index.json that is an empty map", { "index.json": Buffer.from("{}\n") }, /index\.json.*schemaVersion/],
    [
      "an index.json with two digests in each other's place",
      {
        "index.json": editJson((document) => {
          const manifests = document["manifests"] as { digest: string }[];
          [manifests[0]!.digest, manifests[1]!.digest] = [manifests[1]!.digest, manifests[0]!.digest];
        }),
      },
      /index\.json.*manifests\.1\.digest: expected "sha256:/,
    ],
    [
      "another layout",
      { "oci-layout": Buffer.from('{"imageLayoutVersion":"2.0.0"}') },
      /oci-layout.*imageLayoutVersion/,
    ],
    [
      "a lock of another bundle",
      { "manifests/bundle.lock.json": editJson((lock) => void (lock["name"] = "other")) },
      /bundle\.lock\.json.*name: expected "higress", not "other"/,
    ],
    [
      "a lock that does not know a file",
      { "manifests/bundle.lock.json": editJson((lock) => void (lock["files"] as unknown[]).pop()) },
      /bundle\.lock\.json.*files\./,
    ],
    [
      "nine thousand maps in each other among the values of release.json",
      { [release]: (bytes) => Buffer.from(bytes.toString().replace(/"values": ?\{/, `"values":{"a":${nested},`)) },
      /release\.json.*nested > 64/,
    ],
    ["a release.json that is no JSON", { [release]: Buffer.from("{") }, /release\.json.*cannot be read as JSON/],
    [
      "a relocation map of another shape",
      { "manifests/relocation/higress.yaml": Buffer.from("kind: x\n") },
      /relocation\/higress\.yaml.*kind/,
    ],
    [
      "a relocation map with twenty thousand keys in a path",
      {
        "manifests/relocation/higress.yaml": (map) =>
          Buffer.from(map.toString().replace(/path: [^,}]+/, `path: ${"a.".repeat(20_000)}a`)),
      },
      /relocation\/higress\.yaml.*at most 64 keys/,
    ],
    [
      "a chart that is none",
      { "charts/higress-2.2.4.tgz": Buffer.from("chart") },
      /charts\/higress-2\.2\.4\.tgz.*gzip expected/,
    ],
  ])("%s", async (_what, changes, said) => {
    const { exitCode, stderr } = await run("verify", await bundleWith(changes));
    expect(stderr).toMatch(said);
    expect(stderr).not.toContain("BUG");
    expect(exitCode).toBe(3);
  });

  it("a release without the plugin that it names, and a chart that is not the item's", async () => {
    const other = editJson((document) => {
      document["mcpServer"] = "nobody";
      (document["charts"] as { version: string }[])[0]!.version = "0.2.0";
    });
    const { stderr } = await run("verify", await bundleWith({ [release]: other }));
    expect(stderr).toMatch(/mcpServer: bundle\.json does not list it/);
    expect(stderr).toMatch(/charts\.0\.file: expected charts\/higress-0\.2\.0\.tgz/);
    expect(stderr).toMatch(/charts\.0\.name/);
  });

  it("a chart that renders into a folder above is carried as it is, and refused where a file would be named by it", async () => {
    const folder = join(rig.folder, "climbing");
    const key = "k".repeat(240);
    const image = '{{ include "core.image" (dict "root" . "name" "gateway") }}';
    const chart = await packSampleChart(join(folder, "chart"), {
      "charts/higress-core/templates/climbing.yaml": [
        "apiVersion: example.com/v1",
        "kind: Any",
        "metadata: { name: any, namespace: ../../x }",
        `spec: { ${key}: { image: "${image}" } }`,
      ].join("\n"),
    });
    const bundle = await aBuiltBundle({
      folder,
      spec: ({ charts }) => ({ charts: (charts as object[]).map((one) => ({ ...one, from: chart })) }),
    });
    const inspected = await run("inspect", bundle, "--json");
    expect(inspected.exitCode).toBe(0);
    const args = ["render", bundle, "--site", rig.site, "--out", "rendered", "--helm", rig.helm];
    const { stderr, exitCode } = await run(...args);
    expect(stderr).toMatch(/metadata\.namespace "\.\.\/\.\.\/x".*\[CHART_UNUSABLE\]/);
    expect(exitCode).toBe(1);
    expect(await readdir(rig.folder)).not.toContain("rendered");
  });

  it("carried-back lists are held to the same names", async () => {
    const request = { requestVersion: 1, bundle: "a".repeat(64), name: "../x", version: "1", digests: [] };
    await writeFile(join(rig.folder, "request.json"), JSON.stringify(request));
    const spec = join(rig.folder, "bundle.yaml");
    const { stderr, exitCode } = await run(
      "build",
      spec,
      "--only",
      "request.json",
      "--out",
      "p.tar",
      "--helm",
      rig.helm,
    );
    expect(stderr).toMatch(/name - expected a name/);
    expect(exitCode).toBe(2);
  });
});
