import { createHash } from "node:crypto";
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { aConnectedSide, type ConnectedSide } from "../rig/connected-side.ts";
import { aFarSide, farSideUnavailable, said, type FarSide } from "../rig/far-side.ts";
import { aFaultServer, type FaultServer } from "../rig/fault-server.ts";
import { aDockerRegistry, dockerRegistryUnavailable } from "../rig/registry-process.ts";
import { aWasmPlugin } from "../rig/builders/plugins.ts";
import { sampleChart } from "../rig/charts/pack.ts";
import { cli, type CliResult } from "../rig/cli.ts";
import { manifestAccept } from "../../src/model/media-type.ts";
import { printBytes } from "../../src/std/bytes.ts";
import { startCli } from "../rig/running-cli.ts";
import { admin, aHarbor } from "../rig/harbor/harbor.ts";
import { sampleContent, writeSampleSite, writeSampleSpec } from "../rig/sample-site.ts";
import { seed } from "../rig/seed.ts";
import { aTempDirectory } from "../rig/temp-directory.ts";
import { aCertificateAuthority } from "../rig/tls.ts";
import { aProxyPlugin } from "../rig/wasm/module.ts";
import { tools } from "../rig/tools.ts";

const withoutRegistry = dockerRegistryUnavailable();
const unavailable = farSideUnavailable();
const because = (why: string | undefined): string => (why === undefined ? "" : ` (not run: ${why})`);
const host = "harbor.airgap.example";
const sourcePassword = "pl4nted-of-the-source";

type Target = Readonly<{ seen: FaultServer; site: string }>;

/** An empty registry with every request on record, and its site file. */
async function withTarget(folder: string, work: (target: Target) => Promise<void>): Promise<void> {
  await using registry = await aDockerRegistry();
  await using seen = await aFaultServer({ upstream: registry.url });
  await work({ seen, site: await writeSampleSite(folder, { host, url: seen.origin }) });
}

/** Bytes that went up, which blobs they were, and who asked to change something. */
const sentTo = ({ requests }: FaultServer): number => requests.reduce((sum, { bytes }) => sum + bytes, 0);
const blobsSentTo = ({ requests }: FaultServer, from = 0): readonly string[] =>
  requests.slice(from).flatMap(({ step, path }) => {
    const [, repository = "", digest = ""] = /^\/v2\/(.+)\/blobs\/uploads\/.*digest=([^&]+)/.exec(path) ?? [];
    return step === "upload.put" ? [`${repository}/blobs/${decodeURIComponent(digest)}`] : [];
  });
const changesOf = ({ requests }: FaultServer, from = 0): readonly string[] =>
  requests.slice(from).flatMap(({ method, path }) => (/GET|HEAD/.test(method) ? [] : [`${method} ${path}`]));

type SaidPhase = Readonly<{ type: string; phase?: string; phases?: readonly string[]; state?: string }>;
const eventsIn = ({ stderr }: CliResult): readonly SaidPhase[] =>
  stderr
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as SaidPhase);
/** What one bar spans, and what was gone through. */
const jobIn = (result: CliResult) => eventsIn(result).find(({ type }) => type === "job")?.phases;
const begunIn = (result: CliResult) =>
  eventsIn(result).flatMap(({ type, phase, state }) => (type === "phase" && state === "started" ? [phase] : []));

/** Names and digests, however they came there. */
async function tagsOf({ seen }: Target, lockFile: string): Promise<readonly string[]> {
  const lock = JSON.parse(await readFile(lockFile, "utf8")) as { items: { reference: string }[] };
  return Promise.all(
    lock.items.map(async ({ reference }) => {
      const [, repository = "", tag = ""] = /^[^/]+\/(.+):([^:]+)$/.exec(reference) ?? [];
      const url = `${seen.origin}/v2/higress/${repository}/manifests/${tag}`;
      const answer = await fetch(url, { headers: { accept: manifestAccept } });
      expect(answer.status, url).toBe(200);
      const body = Buffer.from(await answer.arrayBuffer());
      return `${repository}:${tag} ${createHash("sha256").update(body).digest("hex")}`;
    }),
  );
}

describe.skipIf(withoutRegistry !== undefined)(`mirror${because(withoutRegistry)}`, () => {
  const rig = { side: undefined as ConnectedSide | undefined, spec: "", helm: "" };
  const side = (): ConnectedSide => rig.side as ConnectedSide;
  const args = (site: string, ...more: readonly string[]): readonly string[] => {
    const out = join(side().folder, "higress.mirror.tar");
    return ["mirror", rig.spec, "--site", site, "--helm", rig.helm, "--out", out, "--overwrite", ...more];
  };

  beforeAll(async () => {
    const opened = await aConnectedSide();
    Object.assign(rig, { side: opened, spec: join(opened.folder, "bundle.yaml"), helm: (await tools("3.17")).helm });
    return () => opened[Symbol.asyncDispose]();
  });

  it("puts there what build and push would, and the second time sends nothing and fetches no layer", async () => {
    const bundle = await side().build("full.tar");
    const pushed = { tags: [] as readonly string[], bytes: 0 };
    await withTarget(side().folder, async (target) => {
      expect((await side().run("push", bundle, "--site", target.site)).exitCode).toBe(0);
      Object.assign(pushed, { bytes: sentTo(target.seen), tags: await tagsOf(target, `${bundle}.lock.json`) });
    });
    await withTarget(side().folder, async (target) => {
      const dry = await side().run(...args(target.site, "--dry-run", "--rate", "10KiB/s"));
      expect(dry, said(dry)).toMatchObject({ exitCode: 0 });
      expect(dry.stdout).toContain(`${host}/higress/plugins/key-auth:2.0.1`);
      expect(changesOf(target.seen)).toEqual([]);
      expect(dry.stdout).toMatch(/^time: \S+ \(10\.0 KiB\/s\), fetched and sent at once$/m);
      const [, file] = /^here: (.+) for the bundle that install takes/m.exec(dry.stdout) ?? [];

      const mirrored = await side().run(...args(target.site));
      expect(mirrored, said(mirrored)).toMatchObject({ exitCode: 0 });
      expect(sentTo(target.seen)).toBe(pushed.bytes);
      expect(file).toBe(printBytes((await stat(join(side().folder, "higress.mirror.tar"))).size));
      expect(await tagsOf(target, join(side().folder, "higress.mirror.tar.lock.json"))).toEqual(pushed.tags);

      const [before, fetched] = [target.seen.requests.length, side().registry.requests.length];
      const again = await side().run(...args(target.site, "--output", "json"));
      expect(again, said(again)).toMatchObject({ exitCode: 0 });
      expect(begunIn(again), again.stderr).toEqual(jobIn(again));
      expect(changesOf(target.seen, before)).toEqual([]);
      // Plugins are looked into, and the console; the layers of the other images are not.
      const layers = side()
        .registry.requests.slice(fetched)
        .filter(({ step, path }) => step === "blob.get" && /\/higress\/(gateway|pilot|higress)\//.test(path));
      expect(layers.map(({ path }) => path)).toEqual([]);
    });
  });

  it("goes from one registry with its own CA and a login of the docker config to another, and names a project that is missing", async () => {
    await using folder = await aTempDirectory();
    await using maker = await aCertificateAuthority();
    await using company = await aCertificateAuthority({ names: [host] });
    await using source = await aDockerRegistry({ tls: maker, htpasswd: { user: "reader", password: sourcePassword } });
    await seed(source.url, sampleContent(), {
      ca: [await readFile(maker.caFile, "utf8")],
      login: { username: "reader", password: sourcePassword },
    });
    await using harbor = await aHarbor({ tls: company.tls, users: [admin] });
    const login = (user: string, password: string) => ({ auth: Buffer.from(`${user}:${password}`).toString("base64") });
    const auths = { [source.host]: login("reader", sourcePassword), [harbor.host]: login(admin.name, admin.secret) };
    await mkdir(join(folder.path, ".docker"));
    await writeFile(join(folder.path, ".docker/config.json"), JSON.stringify({ auths }));
    const spec = await writeSampleSpec(folder.path, source.url);
    const registries = { [sampleChart.registry]: { endpoints: [{ url: source.url, ca: maker.caFile }] } };
    const ofSpec = JSON.parse(await readFile(spec, "utf8")) as object;
    await writeFile(spec, JSON.stringify({ ...ofSpec, registries }));
    const site = await writeSampleSite(folder.path, { host, url: harbor.origin, ca: company.caFile });
    const mirrored = (): Promise<CliResult> =>
      cli(["mirror", spec, "--site", site, "--helm", rig.helm, "--out", "m.tar", "--overwrite"], { cwd: folder.path });

    const missing = await mirrored();
    expect(missing, said(missing)).toMatchObject({ exitCode: 1 });
    expect(missing.stderr).toMatch(/createProject/);
    const { registry, ...more } = JSON.parse(await readFile(site, "utf8")) as { registry: object };
    await writeFile(site, JSON.stringify({ ...more, registry: { ...registry, createProject: { public: false } } }));
    const made = await mirrored();
    expect(made, said(made)).toMatchObject({ exitCode: 0 });
    expect(harbor.state.projects.get("higress")?.artifacts.size).toBeGreaterThan(7);
    expect(said(missing) + said(made)).not.toMatch(new RegExp(`${sourcePassword}|${admin.secret}`));
  });

  it("takes a tag that has moved since the last time, and sends what is new of it only", async () => {
    const moved = `${sampleChart.registry}/plugins/waf:2.0.1`;
    await using own = await aConnectedSide();
    await withTarget(own.folder, async (target) => {
      const run = () =>
        own.run("mirror", "bundle.yaml", "--site", target.site, "--helm", rig.helm, "--out", "m.tar", "--overwrite");
      const first = await run();
      expect(first, said(first)).toMatchObject({ exitCode: 0 });
      const [before, sent] = [await tagsOf(target, join(own.folder, "m.tar.lock.json")), target.seen.requests.length];
      await own.publish({ [moved]: aWasmPlugin({ module: aProxyPlugin({}, { data: "anew" }), layout: "single" }) });
      const second = await run();
      expect(second, said(second)).toMatchObject({ exitCode: 0 });
      const after = await tagsOf(target, join(own.folder, "m.tar.lock.json"));
      expect(after.filter((tag) => !before.includes(tag))).toEqual([expect.stringMatching(/^plugins\/waf:2\.0\.1 /)]);
      const puts = changesOf(target.seen, sent).filter(
        (change) => change.startsWith("PUT") && change.includes("/manifests/"),
      );
      expect(
        puts.every((change) => change.includes("/plugins/waf/")),
        puts.join("\n"),
      ).toBe(true);
    });
  });

  it("goes on after Ctrl-C with what is missing only", async () => {
    await withTarget(side().folder, async (target) => {
      target.seen.failNext(
        "manifest.put",
        { type: "status", status: 503, headers: { "retry-after": "60" } },
        1,
        "higress/console/",
      );
      const running = startCli(args(target.site), { cwd: side().folder });
      await running.says(({ type }) => type === "item");
      const isPut = ({ step, path }: FaultServer["requests"][number]): boolean =>
        step === "manifest.put" && path.includes("higress/console/");
      await vi.waitFor(() => expect(target.seen.requests.some(isPut)).toBe(true), { timeout: 150_000, interval: 20 });
      running.signal("SIGINT");
      expect((await running.result).exitCode).toBe(130);
      // Those that came to their end.
      const there: string[] = [];
      for (const blob of blobsSentTo(target.seen))
        if ((await fetch(`${target.seen.origin}/v2/${blob}`, { method: "HEAD" })).ok) there.push(blob);
      expect(there).not.toEqual([]);
      const before = target.seen.requests.length;
      const again = await side().run(...args(target.site));
      expect(again, said(again)).toMatchObject({ exitCode: 0 });
      expect(blobsSentTo(target.seen, before).filter((blob) => there.includes(blob))).toEqual([]);
    });
  });

  it("stops at what a build would find, and where the site wants a signature, before anything is sent", async () => {
    await withTarget(side().folder, async (target) => {
      const site = JSON.parse(await readFile(target.site, "utf8")) as object;
      await writeFile(target.site, JSON.stringify({ ...site, trustKeys: ["release.pub"] }));
      const unsigned = await side().run(...args(target.site));
      expect(unsigned).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("BUNDLE_UNSIGNED") as string });
      await writeFile(target.site, JSON.stringify(site));
      const spec = JSON.parse(await readFile(rig.spec, "utf8")) as { plugins: { list: object[] } };
      const absent = { name: "absent", ref: "oci://registry.higress.example/plugins/absent:1.0.0" };
      const lacking = join(side().folder, "lacking.yaml");
      const list = [...spec.plugins.list, absent];
      await writeFile(lacking, JSON.stringify({ ...spec, plugins: { ...spec.plugins, list } }));
      const [, , ...rest] = args(target.site);
      const refused = await side().run("mirror", lacking, ...rest);
      expect(refused.exitCode, said(refused)).not.toBe(0);
      expect(refused.stderr).toContain("plugins/absent:1.0.0");
      expect(changesOf(target.seen)).toEqual([]);
    });
  });
});

describe.skipIf(unavailable !== undefined)(`install after mirror${because(unavailable)}`, () => {
  it("works from the registry and a file without blobs, with a plugin switched on, when the source is gone", async () => {
    await using far: FarSide = await aFarSide();
    const out = join(far.folder, "higress.mirror.tar");
    {
      await using side = await aConnectedSide();
      const spec = join(side.folder, "bundle.yaml");
      const command = ["mirror", spec, "--site", far.site, "--helm", far.tools.helm, "--out", out];
      const mirrored = await side.run(...command);
      expect(mirrored, said(mirrored)).toMatchObject({ exitCode: 0 });
      expect(said(mirrored)).toMatch(new RegExp(`To go on: \\S.* install ${out}`));
    }
    expect((await stat(out)).size).toBeLessThan(2 * 1024 ** 2);
    const installed = await far.run(["install", out, "--yes"]);
    expect(installed, said(installed)).toMatchObject({ exitCode: 0 });
    expect(said(installed)).toContain("key-auth");
    const checked = await far.run(["check", out]);
    expect(checked, said(checked)).toMatchObject({ exitCode: 0 });
  });
});
