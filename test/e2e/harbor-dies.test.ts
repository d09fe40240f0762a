import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { aBuiltBundle } from "../rig/built-bundle.ts";
import { cli, type CliResult } from "../rig/cli.ts";
import { admin, aHarbor, type Harbor } from "../rig/harbor/harbor.ts";
import { dockerRegistryUnavailable } from "../rig/registry-process.ts";
import { sampleContent, writeSampleSite } from "../rig/sample-site.ts";
import { aTempDirectory } from "../rig/temp-directory.ts";
import { aCertificateAuthority } from "../rig/tls.ts";

const unavailable = dockerRegistryUnavailable();
const because = unavailable === undefined ? "" : ` (not run: ${unavailable})`;
const host = "harbor.corp.example";

/** Digests of the blobs that came to their end. */
const sent = (harbor: Harbor): readonly string[] =>
  harbor.requests
    .filter(({ step }) => step === "blob.put")
    .map(({ path }) => decodeURIComponent(/digest=([^&]+)/.exec(path)?.[1] ?? ""));

describe.skipIf(unavailable !== undefined)(`a Harbor that goes away in the middle of a push${because}`, () => {
  const at = { folder: "" };
  beforeAll(async () => {
    const directory = await aTempDirectory();
    at.folder = directory.path;
    await aBuiltBundle({ folder: at.folder, content: sampleContent(2_000_000) });
    return () => directory[Symbol.asyncDispose]();
  });

  it("is named, and the same command goes on when it is back, without what it has", async () => {
    const { folder } = at;
    await using company = await aCertificateAuthority({ names: [host] });
    await using harbor = await aHarbor({ tls: company.tls, projects: { higress: {} }, users: [admin] });
    const passwordFile = join(folder, "password");
    await writeFile(passwordFile, admin.secret);
    const side = { host, url: harbor.origin, ca: company.caFile, username: admin.name, passwordFile };
    const site = await writeSampleSite(folder, side);
    const push = (): Promise<CliResult> =>
      cli(["push", "bundle.tar", "--site", site, "--concurrency", "1"], { cwd: folder });

    harbor.dieAfter(2_500_000);
    const died = await push();
    expect(died, died.stderr).toMatchObject({ exitCode: 1 });
    expect(died.stderr).toContain("REGISTRY_UNREACHABLE");
    expect(died.stderr).not.toContain(admin.secret);
    const has = new Set(harbor.state.projects.get("higress")?.used.keys());
    expect(has.size).toBeGreaterThan(0);

    harbor.reset();
    await harbor.rise();
    const resumed = await push();
    expect(resumed, resumed.stderr).toMatchObject({ exitCode: 0 });
    expect(sent(harbor).length).toBeGreaterThan(0);
    expect(sent(harbor).filter((digest) => has.has(digest))).toEqual([]);
    const total = (JSON.parse(await readFile(join(folder, "bundle.tar.lock.json"), "utf8")) as { items: unknown[] })
      .items;
    expect(harbor.state.projects.get("higress")?.artifacts.size).toBe(total.length);

    harbor.reset();
    const again = await push();
    expect(again.stdout).toContain("uploaded 0 B");
    expect(harbor.uploaded).toBe(0);
  });
});
