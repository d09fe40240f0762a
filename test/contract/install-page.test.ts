import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { InstallEvidence } from "../../src/model/evidence.ts";
import { finding } from "../../src/model/finding.ts";
import { installPage } from "../../src/ui/html/install-page.ts";
import { narrow, noChromium, visit, widthOn } from "../rig/chromium.ts";
import { aTempDirectory } from "../rig/temp-directory.ts";

const evil = '"><script>document.title="owned"</script><img src=http://evil.example/x onerror=alert(1)>';

/** An evening with everything in it: something of each part, and names of somebody who means harm. */
const evening: InstallEvidence = {
  reportVersion: 1,
  outcome: "failed",
  tool: { name: "higress-airgap", version: "0.1.0" },
  started: "2026-11-22T18:00:00.000Z",
  written: "2026-11-22T18:21:07.000Z",
  seconds: 1267,
  failure: { code: "ROLLOUT_STUCK", side: "cluster", facts: { workload: evil, seconds: 600, why: "ImagePullBackOff" } },
  target: {
    registry: "harbor.corp",
    project: "higress",
    namespace: "higress-system",
    release: "higress",
    cluster: "u-1",
  },
  bundle: {
    path: "/media/stick/higress-2.2.4.tar",
    size: 4_200_000_000,
    id: "a".repeat(64),
    index: "b".repeat(64),
    name: "higress",
    version: "2.2.4",
    created: "2026-11-01T00:00:00Z",
    builtBy: "higress-airgap 0.1.0",
    platforms: ["linux/amd64", "linux/arm64"],
    items: 60,
    blobs: 412,
    signature: { present: true, verifiedWith: "/etc/release.pub" },
    delta: { base: "higress 2.2.0", absentBlobs: 300 },
  },
  verified: { entries: 431, bytes: 4_199_000_000, algorithm: "sha256", damaged: 0 },
  phases: [
    { phase: "verify", state: "done", at: "2026-11-22T18:00:01.000Z", seconds: 31.2 },
    { phase: "plugins", state: "skipped", at: "2026-11-22T18:01:01.000Z" },
    { phase: "apply", state: "failed", at: "2026-11-22T18:02:01.000Z", seconds: 600.1 },
  ],
  pushed: {
    uploaded: 3_000_000_000,
    mounted: 20_000_000,
    present: 1_000_000,
    ended: true,
    tags: [{ reference: `harbor.corp/higress/${evil}:1`, digest: `sha256:${"c".repeat(64)}` }],
  },
  proved: { images: 17, strings: 2040, findings: 0 },
  changed: {
    receipt: 2,
    helm: { revision: 4, previousRevision: 3 },
    objects: [{ resource: "secrets", namespace: "higress-system", name: "higress-airgap-pull", did: "created" }],
    crds: [{ resource: "customresourcedefinitions", name: "wasmplugins.extensions.higress.io", did: "changed" }],
    release: ["Deployment/higress-gateway"],
    leftovers: [{ namespace: "higress-system", name: "waf", did: "disabled", url: evil }],
    plugins: [
      {
        namespace: "higress-system",
        name: "key-auth",
        url: "oci://harbor.corp/higress/plugins/key-auth:1",
        state: "on",
      },
    ],
  },
  findings: [finding("warning", "cluster.leftover-plugin", { name: evil, url: "oci://public.example/a:1" })],
  undo: [
    { does: "rollback", command: "higress-airgap rollback --site /srv/site.yaml", to: "higress 2.2.0 (#1)" },
    { does: "uninstall", command: "higress-airgap uninstall --site /srv/site.yaml" },
  ],
};

describe("the page of an install", () => {
  it.each(["en", "zh"] as const)("says each part of the evening in %s, and leaves no hole", (language) => {
    const html = installPage(evening, language);
    for (const text of ["600.1", "3.9 GiB", "b".repeat(64), "/etc/release.pub", "3 → 4", "#2", "higress 2.2.0 (#1)"])
      expect(html).toContain(text);
    expect(html).toContain("higress-airgap rollback --site /srv/site.yaml");
    expect(html.replace(/<(style|script)>[^]*?<\/\1>/g, "")).not.toMatch(/[{}]|undefined|NaN/);
  });

  it("does not call a bundle verified that is damaged", () => {
    const verified = { entries: 431, bytes: 1, algorithm: "sha256", damaged: 2 };
    expect(installPage({ ...evening, verified }, "en")).toContain("431 entries, 1 B, by sha256: 2 of them are damaged");
  });

  it("tells of an evening that ended before it began", () => {
    const { reportVersion, tool, started, written, seconds } = evening;
    const html = installPage(
      { reportVersion, tool, started, written, seconds, outcome: "running", phases: [], findings: [], undo: [] },
      "en",
    );
    expect(html).toContain("There is nothing to undo.");
    expect(html).toContain("2026-11-22T18:21:07.000Z");
    expect(html).toContain("Nothing was changed on the cluster.");
    expect(html).toContain('<meta http-equiv="refresh" content="5">');
    expect(installPage(evening, "en")).not.toContain("refresh");
  });

  it.skipIf(noChromium !== undefined)("runs in a browser without a complaint, hostile names included", async () => {
    await using folder = await aTempDirectory();
    const path = join(folder.path, "evening.html");
    await writeFile(path, installPage(evening, "zh"));
    const { dom, console } = await visit(path, folder.path);
    expect(console).toEqual([]);
    expect(dom).toContain("<title>higress 2.2.4 的安装报告</title>");
    expect(dom).not.toContain("<img");
    expect(dom).toContain("回到上一次安装");
    expect(await widthOn(narrow, path, folder.path)).toBe(narrow);
  });
});
