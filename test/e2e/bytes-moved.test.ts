import { execa } from "execa";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { openSource } from "../../src/edge/disk/open-source.ts";
import { openBundle } from "../../src/stages/bundle/open.ts";
import { program } from "../rig/cli.ts";
import { aFarSide, farSideUnavailable, type FarSide } from "../rig/far-side.ts";
import { aDockerRegistry } from "../rig/registry-process.ts";
import { startCli } from "../rig/running-cli.ts";
import { sampleContent, writeSampleSite, writeSampleSpec } from "../rig/sample-site.ts";
import { seed } from "../rig/seed.ts";
import { jumpsIn, slowly, slowMediumUnavailable } from "../rig/slow-medium.ts";
import { aTempDirectory } from "../rig/temp-directory.ts";
import { tools } from "../rig/tools.ts";

const unavailable = farSideUnavailable();
const because = unavailable === undefined ? "" : ` (not run: ${unavailable})`;
const unslowed = slowMediumUnavailable();
const layer = 32 * 1024 ** 2;
/** Bytes: the program's own files, small documents, answers of registries, what helm and kubectl say to each other. */
const besides = 16 * 1024 ** 2;
/**
 * What helm and kubectl say to the API server and to each other in an install: 24 MB of reads were seen, and the longer it
 * takes the more often they ask. A bundle that went over the wire once more would be 64 MiB at least.
 */
const talk = 60 * 1024 ** 2;

/** Bytes through read and write calls, files and sockets alike, of a command and of what it started. */
interface Moved {
  readonly read: number;
  readonly written: number;
}

/** As the kernel counts them: https://docs.kernel.org/filesystems/proc.html#proc-pid-io-display-the-io-accounting-fields */
async function moved(args: readonly string[], cwd: string): Promise<Moved> {
  const account = join(cwd, "io");
  const script = '"$@"; code=$?; cat /proc/$$/io > "$ACCOUNT"; exit $code';
  const env = { PATH: "/usr/bin:/bin", HOME: cwd, HIGRESS_AIRGAP_EXE_DIR: "", ACCOUNT: account };
  await execa("sh", ["-c", script, "sh", ...program, ...args], { cwd, env, extendEnv: false, stdin: "ignore" });
  const text = await readFile(account, "utf8");
  const count = (name: string): number => Number(new RegExp(`^${name}: (\\d+)$`, "m").exec(text)?.[1]);
  return { read: count("rchar"), written: count("wchar") };
}

describe.skipIf(unavailable !== undefined)(`what a command moves${because}`, () => {
  const carried = { folder: "", bundle: "", size: 0, build: { read: 0, written: 0 } };

  /** One jump per MiB that is read, and at most two for each entry: its header, and what it holds. With reads of 256 KiB, three per MiB more. */
  async function expectLongStretches(trace: string, readings = 1): Promise<void> {
    const jumps = jumpsIn(await readFile(trace, "utf8"), carried.bundle);
    expect(jumps).toBeGreaterThan(0);
    const { stdout } = await execa("tar", ["tf", carried.bundle]);
    expect(jumps).toBeLessThan((readings * carried.size) / 1024 ** 2 + 2 * stdout.split("\n").length);
  }

  beforeAll(async () => {
    const folder = await aTempDirectory();
    const bundle = join(folder.path, "higress.tar");
    await using source = await aDockerRegistry();
    await seed(source.url, sampleContent(layer));
    const spec = await writeSampleSpec(folder.path, source.url);
    const { helm } = await tools("3.17");
    const build = await moved(["build", spec, "--out", bundle, "--helm", helm], folder.path);
    Object.assign(carried, { folder: folder.path, bundle, build, size: (await stat(bundle)).size });
    return () => folder[Symbol.asyncDispose]();
  });

  it("to build: each byte comes from the registry once and goes to the disk once, and nothing is read back", () => {
    const { build, size } = carried;
    expect(size).toBeGreaterThan(2 * layer);
    expect(build.written).toBeGreaterThan(size);
    expect(build.written).toBeLessThan(size + besides);
    // What the registry sent: were the file read as well, it would be twice that.
    expect(build.read).toBeLessThan(size + besides);
  });

  it("to verify: each byte is read once", async () => {
    const { read, written } = await moved(["verify", carried.bundle], carried.folder);
    expect(read).toBeGreaterThan(carried.size);
    expect(read).toBeLessThan(carried.size + besides);
    expect(written).toBeLessThan(besides);
  });

  it.skipIf(unslowed !== undefined).each(["verify", "push"] as const)(
    `to %s from a slow disk: in long stretches${unslowed === undefined ? "" : ` (not run: ${unslowed})`}`,
    async (command) => {
      await using folder = await aTempDirectory();
      await using target = await aDockerRegistry();
      const trace = join(folder.path, "trace");
      const site = ["--site", await writeSampleSite(folder.path, { host: target.host, url: target.url })];
      const args = [...program, command, carried.bundle, ...(command === "push" ? site : [])];
      const [strace, ...flags] = slowly(trace, 5);
      await execa(strace ?? "", [...flags, ...args], { cwd: folder.path, env: { HIGRESS_AIRGAP_EXE_DIR: "" } });
      await expectLongStretches(trace);
    },
  );

  it.skipIf(unslowed !== undefined)(
    `to serve from a slow disk: in long stretches, however many pull${unslowed === undefined ? "" : ` (not run: ${unslowed})`}`,
    async () => {
      await using folder = await aTempDirectory();
      const trace = join(folder.path, "trace");
      const [strace = "", ...flags] = slowly(trace, 5);
      // -D: what is started is the program, and strace looks on.
      const serving = startCli(["serve", carried.bundle, "--port", "0"], {
        cwd: folder.path,
        by: [strace, "-D", ...flags],
      });
      let url = "";
      await serving.says(({ text, facts }) => {
        if (text === "listening") ({ url } = facts as { url: string });
        return url !== "";
      });
      await using bundle = await openBundle(await openSource(carried.bundle));
      const image = bundle.document.items.find(({ kind }) => kind === "image");
      const repository = /^[^/]+\/(.+):[^:]+$/.exec(image?.reference ?? "")?.[1] ?? "";
      const large = bundle.document.blobs.filter(({ size }) => size >= layer);
      expect(large).toHaveLength(2);
      const pull = async (digest: string) => (await fetch(`${url}/v2/${repository}/blobs/${digest}`)).arrayBuffer();
      // The image of each platform has one of them; two nodes want each.
      const pulled = await Promise.all([...large, ...large].map(({ digest }) => pull(digest)));
      expect(pulled.map(({ byteLength }) => byteLength)).toEqual([...large, ...large].map(({ size }) => size));
      serving.signal("SIGINT");
      await serving.result;
      await expectLongStretches(trace, 2);
    },
  );

  it("to install: at most twice the bundle is read and once it is sent; a second time nothing is sent", async () => {
    await using far: FarSide = await aFarSide({ helm: "4.1" });
    const first = await moved(far.args(["install", carried.bundle, "--yes"]), far.folder);
    expect(first.read).toBeLessThan(2 * carried.size + talk);
    expect(first.written).toBeGreaterThan(2 * layer);
    expect(first.written).toBeLessThan(carried.size + talk);
    const second = await moved(far.args(["install", carried.bundle, "--yes"]), far.folder);
    expect(second.written).toBeLessThan(talk);
    expect(second.read).toBeLessThan(carried.size + talk);
  });
});
