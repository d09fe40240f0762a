import { execa } from "execa";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { keygen, signer } from "../../src/edge/disk/signature.ts";
import { signatureAlgorithms } from "../../src/model/choices.ts";
import { aTempDirectory } from "../rig/temp-directory.ts";

const shells = [["sh"], ["busybox", "sh"]].filter(([name]) => name === "sh" || existsSync("/usr/bin/busybox"));

interface Host {
  /** What stands under bin/ for this machine; `undefined`: nothing. */
  readonly program?: string | undefined;
  /** SHA256SUMS; of `program` unless told. */
  readonly sums?: string | undefined;
  readonly uname?: string;
  readonly mode?: number;
  /** Others of PATH, that do something else here. */
  readonly programs?: Readonly<Record<string, string>>;
}

const start = 'case "$1" in --version) echo 0.1.0 ;; *) echo "ran $*" ;; esac';
const fails = (status: number, words: string): string => `#!/bin/sh\necho "${words}" >&2\nexit ${String(status)}\n`;

/** install.sh in a folder of its own, with `uname` answering for another host. */
async function install(shell: readonly string[], host: Host, args: readonly string[] = ["verify", "a b.tar"]) {
  await using folder = await aTempDirectory();
  const { program = `#!/bin/sh\n${start}\n`, uname = "Linux x86_64", mode = 0o755 } = host;
  const [system = "", machine = ""] = uname.split(" ");
  const name = `bin/higress-airgap-linux-${machine === "aarch64" ? "arm64" : "amd64"}`;
  await copyFile("manifests/bundle/install.sh", join(folder.path, "install.sh"));
  await mkdir(join(folder.path, "bin"));
  await mkdir(join(folder.path, "path"));
  const programs = { ...host.programs, uname: `[ "$1" = -s ] && echo ${system} || echo ${machine}` };
  await Promise.all(
    Object.entries(programs).map(([fake, does]) =>
      writeFile(join(folder.path, "path", fake), `#!/bin/sh\n${does}\n`, { mode: 0o755 }),
    ),
  );
  if (program !== "") await writeFile(join(folder.path, name), program, { mode });
  const sums = host.sums ?? `${createHash("sha256").update(program).digest("hex")}  ${name}\n`;
  if (sums !== "") await writeFile(join(folder.path, "SHA256SUMS"), sums);
  return await execa(shell[0] ?? "sh", [...shell.slice(1), "install.sh", ...args], {
    cwd: folder.path,
    env: { PATH: `${join(folder.path, "path")}:/usr/bin:/bin` },
    extendEnv: false,
    reject: false,
  });
}

describe.each(shells)("install.sh by %s %s", (...shell) => {
  const words = shell.filter((word): word is string => typeof word === "string");

  it.each(["Linux x86_64", "Linux aarch64"])(
    "starts the executable for %s, which need not be executable yet",
    async (uname) => {
      expect(await install(words, { uname, mode: 0o644 })).toMatchObject({ exitCode: 0, stdout: "ran verify a b.tar" });
    },
  );

  it("tells the program where it is itself, since what is to be typed next begins with it", async () => {
    const tells = '#!/bin/sh\n[ "$1" = --version ] || echo "$HIGRESS_AIRGAP_INSTALLER"\n';
    expect((await install(words, { program: tells })).stdout).toMatch(/^\/.+\/install\.sh$/);
  });

  it("says after three seconds, and again, that it reads sums; nothing in between of what it asks for as JSON", async () => {
    // Seconds pass when they are asked for: the sum comes after the third time.
    const slow = {
      sleep: `echo >>"$0.calls"; [ "$(wc -l <"$0.calls")" -lt 3 ] || { : >"$0.over"; exec /bin/sleep 60; }`,
      sha256sum: `while ! [ -e "\${0%/*}/sleep.over" ]; do /bin/sleep 0.02; done; exec /usr/bin/sha256sum "$@"`,
    };
    const host = { programs: slow };
    const told = await install(words, host);
    expect(told).toMatchObject({ exitCode: 0, stdout: "ran verify a b.tar" });
    const name = "bin/higress-airgap-linux-amd64";
    expect(told.stderr.split("\n")).toEqual([`sha256: ${name} … 3 s`, `sha256: ${name} … 6 s`]);
    expect(await install(words, host, ["verify", "--output", "json"])).toMatchObject({ exitCode: 0, stderr: "" });
    expect((await install(words, {})).stderr).toBe("");
  });

  it.each<[string, Host, string, string]>([
    ["another processor", { uname: "Linux loongarch64" }, "no executable for Linux on loongarch64", "loongarch64"],
    ["another system", { uname: "Darwin arm64" }, "no executable for Darwin", "Darwin"],
    ["no SHA256SUMS", { sums: "" }, "SHA256SUMS is not here", "缺少 SHA256SUMS"],
    ["a bundle without executables", { sums: `${"0".repeat(64)}  README.txt\n` }, "carries no bin/", "未携带 bin/"],
    [
      "nothing unpacked",
      { program: "", sums: `${"0".repeat(64)}  bin/higress-airgap-linux-amd64\n` },
      "volumes: cat",
      "分卷",
    ],
    ["damage", { sums: `${"0".repeat(64)}  bin/higress-airgap-linux-amd64\n` }, "is damaged: wanted 000", "已损坏"],
    ["an old C library", { program: fails(1, "version `GLIBC_2.28' not found".replace("`", "")) }, "too old", "过旧"],
    [
      "no libstdc++",
      { program: fails(127, "error while loading shared libraries: libstdc++.so.6") },
      "library is missing",
      "缺少运行库",
    ],
    ["no glibc at all", { program: "#!/nonexistent/ld-linux\n" }, "has no glibc", "没有 glibc"],
    ["noexec", { program: fails(126, "Permission denied") }, "noexec", "noexec"],
    ["a foreign format", { program: fails(126, "Exec format error") }, "not for the processor", "不适用于"],
    ["anything else", { program: fails(7, "boom") }, "does not start (7): boom", "无法启动"],
  ])("says what to do about %s, in both languages, and starts nothing", async (_what, host, english, chinese) => {
    const { exitCode, stderr, stdout } = await install(words, host);
    const [first, second, ...more] = stderr.split("\n");
    expect({ exitCode, stdout, more }).toEqual({ exitCode: 1, stdout: "", more: [] });
    expect(first).toContain(english);
    expect(second).toContain(chinese);
  });

  it.each(signatureAlgorithms)(
    "starts nothing once a key of %s is given, unless the sums are signed with it",
    async (algorithm) => {
      await using folder = await aTempDirectory();
      const at = (name: string): string => join(folder.path, name);
      await copyFile("manifests/bundle/install.sh", at("install.sh"));
      await mkdir(at("bin"));
      const machine = process.arch === "x64" ? "amd64" : process.arch;
      const name = `bin/higress-airgap-linux-${machine}`;
      const program = `#!/bin/sh\n${start}\n`;
      await writeFile(at(name), program, { mode: 0o755 });
      await writeFile(at("SHA256SUMS"), `${createHash("sha256").update(program).digest("hex")}  ${name}\n`);
      for (const key of ["ours", "theirs"]) await keygen(at(key), algorithm);
      const run = (...args: string[]) =>
        execa(words[0] ?? "sh", [...words.slice(1), "install.sh", "verify", ...args], {
          cwd: folder.path,
          reject: false,
        });
      expect(await run("--key", "ours.pub")).toMatchObject({
        exitCode: 1,
        stdout: "",
        stderr: expect.stringContaining("SHA256SUMS.sig is not here") as string,
      });
      await writeFile(at("SHA256SUMS.sig"), (await signer(at("ours"))).sign(await readFile(at("SHA256SUMS"))));
      expect(await run("--key", "ours.pub")).toMatchObject({ stdout: "ran verify --key ours.pub" });
      expect(await run("--key=theirs.pub", "--key", "ours.pub")).toMatchObject({ exitCode: 0 });
      for (const wrong of [["--key", "theirs.pub"], ["--key=theirs.pub"]])
        expect(await run(...wrong)).toMatchObject({
          exitCode: 1,
          stdout: "",
          stderr: expect.stringContaining("was not signed with the key") as string,
        });
    },
  );
});
