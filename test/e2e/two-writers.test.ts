import { copyFile, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openSource } from "../../src/edge/disk/open-source.ts";
import { hexOf } from "../../src/model/digest.ts";
import { openBundle } from "../../src/stages/bundle/open.ts";
import type { CliResult } from "../rig/cli.ts";
import { aConnectedSide, type ConnectedSide } from "../rig/connected-side.ts";
import { dockerRegistryUnavailable } from "../rig/registry-process.ts";
import { startCli, type RunningCli } from "../rig/running-cli.ts";

const unavailable = dockerRegistryUnavailable();
const because = unavailable === undefined ? "" : ` (not run: ${unavailable})`;

describe.skipIf(unavailable !== undefined)(`two processes that write one bundle${because}`, () => {
  let side: ConnectedSide;
  let first = "";
  let largest = "";
  beforeAll(async () => {
    side = await aConnectedSide();
    await side.run("keygen", "--out", "release");
    first = await side.build("first.tar", "--sign-key", "release");
    await using bundle = await openBundle(await openSource(first));
    const [blob] = bundle.document.blobs.toSorted((a, b) => b.size - a.size);
    largest = hexOf(blob!.digest);
  });
  afterAll(() => side[Symbol.asyncDispose]());

  const words = (out: string): readonly string[] => [
    ...["build", join(side.folder, "bundle.yaml"), "--lock", `${first}.lock.json`],
    ...["--sign-key", join(side.folder, "release"), "--out", join(side.folder, out)],
  ];
  const run = (...args: readonly string[]): Promise<CliResult> => side.run(...args, "--output", "json");
  const said = ({ stderr }: CliResult): readonly Record<string, unknown>[] =>
    stderr
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  const beside = async (out: string): Promise<readonly string[]> =>
    (await readdir(side.folder)).filter((name) => name.startsWith(out)).sort();

  /** One that is in the middle of its work until it is killed. */
  async function aWriter(out: string): Promise<RunningCli> {
    side.registry.failNext("blob.get", { type: "drip", at: 10 }, 1, largest);
    const running = startCli(words(out), { cwd: side.folder });
    while (!(await beside(out)).includes(`${out}.partial.journal`))
      await Promise.race([
        new Promise((resolve) => setTimeout(resolve, 20)),
        running.result.then(({ stderr }) => Promise.reject(new Error(stderr))),
      ]);
    return running;
  }

  it("lets the first one alone, and refuses the second by name", async () => {
    const running = await aWriter("a.tar");
    const second = await run(...words("a.tar"));
    expect(second.exitCode, second.stderr).toBe(1);
    expect(said(second).at(-1)).toMatchObject({ type: "failure", code: "FILE_BUSY" });
    running.signal("SIGTERM");
    expect(await running.result).toMatchObject({ exitCode: 130 });
    expect(await beside("a.tar")).toEqual(["a.tar.partial", "a.tar.partial.journal"]);
  });

  it("is not held up by one that was killed, and one of two that come after it goes on", async () => {
    const running = await aWriter("b.tar");
    running.kill();
    await running.result;
    expect(await beside("b.tar")).toContain("b.tar.partial.claim");
    const both = await Promise.all([run(...words("b.tar")), run(...words("b.tar"))]);
    for (const refused of both.filter(({ exitCode }) => exitCode !== 0))
      expect(said(refused).at(-1)).toMatchObject({ code: "FILE_BUSY" });
    expect(both.map(({ exitCode }) => exitCode)).toContain(0);
    expect(await beside("b.tar")).toEqual(["b.tar", "b.tar.lock.json"]);
    expect(await run("verify", join(side.folder, "b.tar"), "--key", join(side.folder, "release.pub"))).toMatchObject({
      exitCode: 0,
    });
  });

  it("finds the work of one that was killed after it had given out the name, and says so", async () => {
    const out = join(side.folder, "c.tar");
    expect(await run(...words("c.tar"))).toMatchObject({ exitCode: 0 });
    const before = await stat(out);
    await rm(`${out}.lock.json`);
    const again = await run(...words("c.tar"));
    expect(again.exitCode, again.stderr).toBe(0);
    expect(said(again)).toContainEqual(expect.objectContaining({ type: "note", text: "finished" }));
    expect((await stat(out)).mtimeMs).toBe(before.mtimeMs);
    expect(await beside("c.tar")).toEqual(["c.tar", "c.tar.lock.json"]);
  });

  it("does not take for its work what differs in a byte, or was signed by somebody else", async () => {
    await run("keygen", "--out", "theirs");
    const theirs = await run(...words("d.tar").map((word) => word.replace(/release$/, "theirs")));
    expect(theirs.exitCode, theirs.stderr).toBe(0);
    const bytes = await readFile(first);
    bytes.writeUInt8(bytes.readUInt8(bytes.byteLength - 4000) ^ 1, bytes.byteLength - 4000);
    await writeFile(join(side.folder, "e.tar"), bytes);
    for (const name of ["d.tar", "e.tar"]) {
      const refused = await run(...words(name));
      expect(said(refused).at(-1)).toMatchObject({ code: "FILE_EXISTS" });
    }
  });

  it("repairs the same: the second is refused, and what was finished is found", async () => {
    const [bad, out] = [join(side.folder, "bad.tar"), join(side.folder, "mended.tar")];
    await copyFile(join(side.folder, "e.tar"), bad);
    const mend = () => run("repair", bad, "--from", first, "--out", out);
    expect(await mend()).toMatchObject({ exitCode: 0 });
    const again = await mend();
    expect(again.exitCode, again.stderr).toBe(0);
    expect(said(again)).toContainEqual(expect.objectContaining({ type: "note", text: "finished" }));
    const held = await aWriter("busy.tar");
    const refused = await run("repair", bad, "--from", first, "--out", join(side.folder, "busy.tar"));
    expect(said(refused).at(-1)).toMatchObject({ code: "FILE_BUSY" });
    held.kill();
    await held.result;
    expect(await run("repair", bad, "--from", first, "--out", join(side.folder, "busy.tar"))).toMatchObject({
      exitCode: 0,
    });
  });
});
