import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { cli } from "../rig/cli.ts";
import { aProxyServer } from "../rig/proxy-server.ts";
import { aDockerRegistry, dockerRegistryUnavailable } from "../rig/registry-process.ts";
import { sampleContent, writeSampleSite, writeSampleSpec } from "../rig/sample-site.ts";
import { seed } from "../rig/seed.ts";
import { aTempDirectory } from "../rig/temp-directory.ts";
import { aCertificateAuthority } from "../rig/tls.ts";
import { tools } from "../rig/tools.ts";

const unavailable = dockerRegistryUnavailable();
const because = unavailable === undefined ? "" : ` (not run: ${unavailable})`;

describe.skipIf(unavailable !== undefined)(`a company whose every https goes through its proxy${because}`, () => {
  it("builds from the registry outside and pushes to the one inside, both by tunnels of the proxy", async () => {
    await using folder = await aTempDirectory();
    await using authority = await aCertificateAuthority();
    const ca = await readFile(authority.caFile, "utf8");
    await using outside = await aDockerRegistry({ tls: authority });
    await using inside = await aDockerRegistry({ tls: authority });
    await using proxy = await aProxyServer();
    await seed(outside.url, sampleContent(), { ca: [ca] });
    const run = (...args: readonly string[]) =>
      cli(args, { cwd: folder.path, env: { HTTPS_PROXY: proxy.url.replace("//", "//clerk:word@") } });

    const spec = await writeSampleSpec(folder.path, outside.url);
    const sample = JSON.parse(await readFile(spec, "utf8")) as { registries: Record<string, { endpoints: object[] }> };
    for (const { endpoints } of Object.values(sample.registries))
      for (const endpoint of endpoints) Object.assign(endpoint, { ca: authority.caFile });
    await writeFile(spec, JSON.stringify(sample));
    const { helm } = await tools("3.17");
    const built = await run("build", spec, "--out", "bundle.tar", "--helm", helm);
    expect(built, built.stderr).toMatchObject({ exitCode: 0 });
    expect(new Set(proxy.asked)).toEqual(new Set([`CONNECT ${outside.host}`]));

    const site = await writeSampleSite(folder.path, { host: "localhost", url: inside.url, ca: authority.caFile });
    const pushed = await run("push", join(folder.path, "bundle.tar"), "--site", site);
    expect(pushed, pushed.stderr).toMatchObject({ exitCode: 0 });
    expect(new Set(proxy.asked)).toEqual(new Set([`CONNECT ${outside.host}`, `CONNECT ${inside.host}`]));
    expect(new Set(proxy.credentials)).toEqual(new Set([`Basic ${Buffer.from("clerk:word").toString("base64")}`]));
    expect(`${built.stderr}${pushed.stderr}`).not.toContain("clerk:word");
  });
});
