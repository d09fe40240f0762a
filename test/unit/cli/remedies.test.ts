import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Failure, isFailure } from "../../../src/model/failure.ts";
import { discover } from "../../../src/pipeline/discover.ts";
import { describeFailure } from "../../../src/ui/failure.ts";
import { createReporter } from "../../../src/ui/reporter.ts";
import { aBundleFile } from "../../rig/bundle-file.ts";
import { aClient } from "../../rig/client.ts";
import { runCommand } from "../../rig/command.ts";
import { aTempDirectory } from "../../rig/temp-directory.ts";

const site = {
  apiVersion: "higress-airgap/v1",
  kind: "Site",
  registry: { host: "harbor.corp", project: "higress" },
};

describe("a kit whose images the bundle does not carry", () => {
  it("names the line of the spec that brings the all-in-one image, and makes no kit", async () => {
    await using folder = await aTempDirectory();
    const bundle = await aBundleFile(folder.path);
    const made = await runCommand(["standalone", bundle, "--out", "kit"], { cwd: folder.path });
    expect(made.code).toBe(3);
    expect(made.stderr).toContain("[standalone.image-missing]");
    expect(made.stderr).toContain(
      "Write this line under `images:` of bundle.yaml and build again: - registry.example/higress/all-in-one:2.2.4\n",
    );
    expect(made.stderr).not.toContain("saved");
  });

  it("ends in findings where services of the compose set are missing", async () => {
    await using folder = await aTempDirectory();
    const bundle = await aBundleFile(folder.path);
    const made = await runCommand(["standalone", bundle, "--mode", "compose", "--out", "kit"], { cwd: folder.path });
    expect(made.code).toBe(3);
    expect(made.stderr).toContain("[standalone.service-missing]");
    for (const name of ["api-server", "pilot", "plugin-server"]) {
      const line = `- registry.example/higress/${name}:TAG`;
      expect(made.stderr).toContain(`, and build again: ${line}\n`);
    }
    const readme = await readFile(join(folder.path, "kit/README.txt"), "utf8");
    for (const words of ["./load.sh", "Upgrade / 升级", "Removal / 卸载"]) expect(readme).toContain(words);
  });
});

describe("what would be refused", () => {
  it.each([
    [["init"], "bundle.yaml"],
    [["site", "init"], "site.yaml"],
  ])("is refused by %j before the first question", async (argv, name) => {
    await using folder = await aTempDirectory();
    await writeFile(join(folder.path, name), "mine\n");
    const asked = { cwd: folder.path, answers: [] };
    await expect(runCommand(argv, asked)).rejects.toMatchObject({ code: "FILE_EXISTS" });
    const { stderr } = await runCommand([...argv, "--overwrite"], asked);
    expect(stderr).toContain(" [");
  });

  it.each([
    ["a file", (path: string) => writeFile(path, "mine\n"), { code: "FILE_EXISTS" }],
    ["a folder", (path: string) => mkdir(path), { code: "FILE_UNWRITABLE", facts: { reason: "EISDIR" } }],
  ])(
    "is refused by build before anything is asked, and by repair before a byte is hashed: %s",
    async (_, make, told) => {
      await using folder = await aTempDirectory();
      const spec = {
        apiVersion: "higress-airgap/v1",
        kind: "BundleSpec",
        name: "a",
        version: "1",
        platforms: ["linux/amd64"],
      };
      // Nothing listens there, and a build that asked would say so.
      const images = ["127.0.0.1:1/a/b:1"];
      await writeFile(join(folder.path, "spec.yaml"), JSON.stringify({ ...spec, images }));
      const bundle = await aBundleFile(folder.path);
      await make(join(folder.path, "out.tar"));
      for (const argv of [
        ["build", "spec.yaml"],
        ["repair", bundle, "--from", bundle],
      ]) {
        const said: string[] = [];
        const options = { cwd: folder.path, says: (text: string) => void said.push(text) };
        await expect(runCommand([...argv, "--out", "out.tar"], options)).rejects.toMatchObject(told);
        expect(said).toEqual([]);
      }
    },
  );

  it("is refused by verify before a byte is hashed: evidence is no page", async () => {
    await expect(runCommand(["verify", "absent.tar", "--report", "x.html"])).rejects.toMatchObject({
      code: "USAGE",
      facts: { what: "--report x.html", wanted: "--report verify.json" },
    });
  });
});

describe("a command line whose words are all known and do not fit", () => {
  it.each([
    [
      ["plugins", "enable", "b.tar"],
      "--name is needed, with the name of a plugin; plugins list b.tar shows them",
      "缺少 --name（插件名称）；用 plugins list b.tar 查看有哪些插件",
    ],
    [
      ["repair", "b.tar"],
      "repair wants one of these, and only one: --out, --request",
      "repair 需要以下之一，且只能有一个：--out, --request",
    ],
    [["serve", "b.tar", "--port", "abc"], "--port abc: allowed are 0..65535", "--port abc：可取的值为 0..65535"],
    [
      ["build", "bundle.yaml", "--lock", "a.json", "--platform", "linux/amd64"],
      "--lock and --platform exclude each other",
      "--lock 与 --platform 不能同时使用",
    ],
    [["verify", "b.tar", "--report", ""], "--report needs a value", "--report 需要一个值"],
    [
      ["install", "b.tar", "--skip", "render"],
      "--skip render goes with --skip prove --skip apply, and one of the two is not there",
      "--skip render 须与 --skip prove --skip apply 一起使用，现在缺少其中之一",
    ],
  ])("%j is answered in words, in both languages", async (argv, en, zh) => {
    await using folder = await aTempDirectory();
    await aBundleFile(folder.path, "b.tar");
    await writeFile(join(folder.path, "site.yaml"), JSON.stringify(site));
    const failure: unknown = await runCommand(argv, { cwd: folder.path }).catch((error: unknown) => error);
    expect(describeFailure(failure, "en").message).toBe(`The command line cannot be used: ${en}`);
    expect(describeFailure(failure, "zh").message).toBe(`命令行无法使用：${zh}`);
  });

  it("names the plugin that was probably meant", async () => {
    await using folder = await aTempDirectory();
    const bundle = await aBundleFile(folder.path);
    const { stdout } = await runCommand(["plugins", "list", bundle, "--json"], { cwd: folder.path });
    const [{ name: plugin }] = JSON.parse(stdout) as [{ name: string }];
    const check = runCommand(["plugins", "check", bundle, "--name", `${plugin}s`], { cwd: folder.path });
    const failure: unknown = await check.catch((error: unknown) => error);
    expect(describeFailure(failure, "en").message).toContain(`no plugin ${plugin}s; did you mean ${plugin}?`);
  });

  it("names a kubeconfig that is not there, before kubectl says something else of it", async () => {
    await using folder = await aTempDirectory();
    await writeFile(join(folder.path, "site.yaml"), JSON.stringify({ ...site, cluster: { kubeconfig: "admin.conf" } }));
    const status = runCommand(["status"], { cwd: folder.path });
    const path = join(folder.path, "admin.conf");
    await expect(status).rejects.toMatchObject({ code: "FILE_MISSING", facts: { path } });
  });
});

describe("what a system answers by a code", () => {
  it.each([
    [
      new Failure("REGISTRY_UNREACHABLE", { host: "h", action: "GET /v2/", reason: "ECONNREFUSED 10.0.0.5:443" }),
      "nothing listens there (ECONNREFUSED 10.0.0.5:443)",
      "该地址没有程序在监听（ECONNREFUSED 10.0.0.5:443）",
    ],
    [
      new Failure("FILE_UNREADABLE", { path: "/media", reason: "EISDIR" }),
      "it is a folder (EISDIR)",
      "它是目录，不是文件（EISDIR）",
    ],
    [new Failure("CREDENTIALS_UNUSABLE", { where: "env PW", why: "not set" }), "it is not set", "未设置"],
    [
      new Failure("SERVER_UNUSABLE", { address: "127.0.0.1:80", reason: "EADDRINUSE" }),
      "another program listens there (EADDRINUSE)",
      "已有其他程序在监听（EADDRINUSE）",
    ],
    [
      new Failure("REGISTRY_UNREACHABLE", { host: "h", action: "GET /v2/", reason: "EVERY other" }),
      "EVERY other",
      "EVERY other",
    ],
  ])("%s is said in words beside it", (failure, en, zh) => {
    expect(describeFailure(failure, "en").message).toMatch(new RegExp(`: ${en.replace(/[()]/g, ".")}$`));
    expect(describeFailure(failure, "zh").message).toContain(zh);
  });
});

describe("a command in a remedy", () => {
  it("begins as the reader's own did, where no shell finds the program by its name", () => {
    const said: string[] = [];
    const reporter = createReporter({
      mode: "plain",
      language: "en",
      write: (text) => void said.push(text),
      columns: () => 80,
      now: () => 0,
      program: () => "/opt/higress/install.sh",
    });
    reporter.failure(new Failure("ROLLOUT_STUCK", { workload: "w", seconds: 1, why: "-" }));
    reporter.report({
      type: "note",
      text: "next-commands",
      facts: { look: "/usr/bin/higress-airgap status", undo: "-" },
    });
    expect(said.join("")).toContain("next: /opt/higress/install.sh doctor says why");
    expect(said.join("")).toContain("look at it: /usr/bin/higress-airgap status");
  });
});

describe("an answer without a body", () => {
  it.each([
    [404, {}, "404 Not Found"],
    [403, { "x-request-id": "0b5c-77" }, "403 Forbidden, X-Request-Id: 0b5c-77"],
    [499, {}, "499"],
  ])("of %d with %j says %j", async (status, headers, answer) => {
    const server = createServer((_request, response) => response.writeHead(status, headers).end()).listen(
      0,
      "127.0.0.1",
    );
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as AddressInfo;
    await using client = aClient({ origins: [`http://127.0.0.1:${String(port)}`] });
    try {
      const asked = client.registry.repository("some/image").resolve("v1");
      await expect(asked).rejects.toSatisfy(
        (error) => isFailure(error) && "answer" in error.facts && error.facts.answer === answer,
      );
    } finally {
      server.close();
      server.closeAllConnections();
    }
  });
});

describe("an image that is no reference", () => {
  it("is said to be none, rather than not moved by a map that it has nothing to do with", async () => {
    const text =
      "apiVersion: v1\nkind: Pod\nmetadata: { name: p }\nspec: { containers: [{ name: c, image: 'Not One' }] }\n";
    const codes: string[] = [];
    await discover(
      [],
      {
        spec: { kubeVersion: "1.30.0" },
        manifests: [{ name: "manifests/user/p.yaml", bytes: Buffer.from(text) }],
        crds: [],
      },
      { render: () => expect.unreachable() },
      {
        report: (event) => {
          if (event.type === "finding") codes.push(event.finding.code);
        },
      },
    );
    expect(codes).toEqual(["reference.unreadable"]);
  });
});
