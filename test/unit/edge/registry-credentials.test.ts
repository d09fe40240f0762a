import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findLogin } from "../../../src/edge/credentials/credentials.ts";
import type { Event } from "../../../src/model/event.ts";
import { matchingKeys } from "../../../src/edge/credentials/docker-config.ts";

const auth = (user: string, password: string) => ({ auth: Buffer.from(`${user}:${password}`).toString("base64") });

describe("findLogin", () => {
  let home: string;
  beforeEach(async () => void (home = await mkdtemp(join(tmpdir(), "higress-airgap-credentials-"))));
  afterEach(() => rm(home, { recursive: true, force: true }));

  const file = async (path: string, content: unknown): Promise<string> => {
    const full = join(home, path);
    await mkdir(join(full, ".."), { recursive: true });
    await writeFile(full, typeof content === "string" ? content : JSON.stringify(content));
    return full;
  };
  const dockerConfig = (content: unknown) => file(".docker/config.json", content);
  const helper = async (name: string, script: string): Promise<void> => {
    await chmod(await file(`bin/docker-credential-${name}`, `#!/bin/sh\n${script}\n`), 0o755);
  };
  const env = (more: Record<string, string> = {}) => ({ HOME: home, PATH: `${home}/bin:/usr/bin:/bin`, ...more });
  const find = (host: string, more: Record<string, string> = {}) => findLogin(host, { env: env(more) });

  it("is nobody where nothing says who", async () => {
    expect(await find("harbor.corp")).toBeUndefined();
  });

  it("reads docker's config, and takes a colon in a password as part of it", async () => {
    await dockerConfig({ auths: { "harbor.corp": auth("ann", "p:w") } });
    expect(await find("harbor.corp")).toEqual({ username: "ann", password: "p:w" });
  });

  it("reads what editors on Windows make of docker's config and of a password file", async () => {
    const config = JSON.stringify({ auths: { "harbor.corp": auth("ann", "pw") } });
    await dockerConfig(`\uFEFF${config}`);
    expect(await find("harbor.corp")).toEqual({ username: "ann", password: "pw" });
    const path = await dockerConfig("");
    await writeFile(path, Buffer.from(`\uFEFF${config}`, "utf16le"));
    expect(await find("harbor.corp")).toEqual({ username: "ann", password: "pw" });
    await writeFile(path, Buffer.from([0xcd, 0xf8, 0xb9, 0xd8]));
    await expect(find("harbor.corp")).rejects.toMatchObject({
      code: "CREDENTIALS_UNUSABLE",
      facts: { where: path, why: "not UTF-8, GB18030" },
    });
    const passwordFile = join(home, "password");
    await writeFile(passwordFile, Buffer.from("\uFEFFpw\r\n", "utf16le"));
    const source = { username: "ann", passwordFile };
    expect(await findLogin("harbor.corp", { env: env(), source })).toEqual({ username: "ann", password: "pw" });
  });

  it("says whom it waits for when a helper does not answer, for how long, and ends with both", async () => {
    await helper("slow", "exec sleep 60");
    await dockerConfig({ credHelpers: { "harbor.corp": "slow" } });
    const told: Event[] = [];
    const options = { env: env(), report: (event: Event) => void told.push(event), patience: { told: 0.05, limit: 1 } };
    await expect(findLogin("harbor.corp", options)).rejects.toMatchObject({
      code: "CREDENTIALS_UNUSABLE",
      facts: { where: "docker-credential-slow", why: "no answer in 1 s" },
    });
    const facts = { program: "docker-credential-slow", host: "harbor.corp", seconds: 0.05, limit: 1 };
    expect(told).toEqual([{ type: "note", text: "helper-silent", facts }]);
  });

  it("tries the places in their order", async () => {
    await file("run/containers/auth.json", { auths: { "a.corp": auth("run", "1"), "b.corp": auth("run", "1") } });
    await dockerConfig({ auths: { "a.corp": auth("home", "1") } });
    await file("other/config.json", { auths: { "c.corp": auth("other", "1"), "a.corp": auth("other", "1") } });
    const named = await file("named.json", { auths: { "a.corp": auth("named", "1") } });
    const more = { DOCKER_CONFIG: join(home, "other"), XDG_RUNTIME_DIR: join(home, "run") };
    expect((await find("a.corp", more))?.username).toBe("other");
    expect((await find("b.corp", more))?.username).toBe("run");
    expect((await find("a.corp", { XDG_RUNTIME_DIR: join(home, "run") }))?.username).toBe("home");
    expect((await find("a.corp", { ...more, REGISTRY_AUTH_FILE: named }))?.username).toBe("named");
    expect(await find("b.corp", { ...more, REGISTRY_AUTH_FILE: named })).toBeUndefined();
  });

  it("knows Docker Hub by all its names", async () => {
    await dockerConfig({ auths: { "https://index.docker.io/v1/": auth("hub", "1") } });
    for (const name of ["docker.io", "registry-1.docker.io", "index.docker.io"]) {
      expect((await find(name))?.username).toBe("hub");
    }
  });

  it("takes the longest path, whole segments only, and never part of a name", () => {
    const keys = ["harbor.corp", "harbor.corp/team", "harbor.corp/team/app", "corp", "https://Harbor.Corp/v2/"];
    expect(matchingKeys(keys, "harbor.corp/team/app/x")[0]).toBe("harbor.corp/team/app");
    expect(matchingKeys(keys, "harbor.corp/teams")).toEqual(["harbor.corp", "https://Harbor.Corp/v2/"]);
    expect(matchingKeys(keys, "evil-harbor.corp")).toEqual([]);
    expect(matchingKeys(keys, "harbor.corp.evil.example")).toEqual([]);
    expect(matchingKeys(keys, "harbor.corp:8443")).toEqual([]);
  });

  it("asks the helper of a host over its standard input", async () => {
    await helper("vault", `read -r host; [ "$1" = get ] && printf '{"Username":"vault","Secret":"%s"}' "$host"`);
    await dockerConfig({ credHelpers: { "harbor.corp": "vault" }, auths: { "harbor.corp": auth("file", "1") } });
    expect(await find("harbor.corp")).toEqual({ username: "vault", password: "harbor.corp" });
  });

  it("asks the store by docker's own name for Docker Hub, and takes its token", async () => {
    await helper("store", `read -r host; printf '{"Username":"<token>","Secret":"%s"}' "$host"`);
    await dockerConfig({ credsStore: "store" });
    expect(await find("docker.io")).toEqual({
      username: "<token>",
      password: "",
      identityToken: "https://index.docker.io/v1/",
    });
  });

  it("looks on when a store does not know the host, or is not there for hosts it was not asked to keep", async () => {
    await helper("store", "echo 'credentials not found in native keychain'; exit 1");
    await dockerConfig({ credsStore: "store", auths: { "harbor.corp": auth("file", "1") } });
    expect((await find("harbor.corp"))?.username).toBe("file");
    await dockerConfig({ credsStore: "desktop" });
    expect(await find("harbor.corp")).toBeUndefined();
    await dockerConfig({ credsStore: "desktop", auths: { "harbor.corp": {} } });
    await expect(find("harbor.corp")).rejects.toMatchObject({ facts: { where: "docker-credential-desktop" } });
  });

  it("never runs a helper whose name is a path", async () => {
    await dockerConfig({ credHelpers: { "harbor.corp": "../../evil" } });
    await expect(find("harbor.corp")).rejects.toMatchObject({ code: "CREDENTIALS_UNUSABLE" });
  });

  it("says where it is broken, and nothing of what stands there", async () => {
    await helper("noisy", `echo '{"Username":"u","Secret":"hunter22"'`);
    const broken: unknown[] = [];
    for (const config of [
      '{"auths": {"harbor.corp": {"auth": "hunter22',
      { auths: { "harbor.corp": { auth: "hunter22" } } },
      { credHelpers: { "harbor.corp": "noisy" } },
      { auths: "hunter22" },
    ]) {
      await dockerConfig(config);
      broken.push(await find("harbor.corp").catch((error: unknown) => error));
    }
    for (const error of broken) {
      expect(error).toMatchObject({ code: "CREDENTIALS_UNUSABLE" });
      expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain("hunter");
    }
  });

  it("does not read a file that has no end", async () => {
    await expect(find("harbor.corp", { REGISTRY_AUTH_FILE: "/dev/zero" })).rejects.toMatchObject({
      code: "CREDENTIALS_UNUSABLE",
      facts: { where: "/dev/zero" },
    });
  });

  it("wants a file that a variable names", async () => {
    await expect(find("harbor.corp", { REGISTRY_AUTH_FILE: join(home, "no.json") })).rejects.toMatchObject({
      code: "CREDENTIALS_UNUSABLE",
    });
  });

  describe("with a source of its own", () => {
    it.each([
      ["a file, whose line break is not the password's", { username: "ann", passwordFile: "secret" }],
      ["variables", { usernameEnv: "WHO", passwordEnv: "SECRET" }],
    ])("takes %s", async (_name, { passwordFile, ...rest }: Record<string, string>) => {
      await dockerConfig({ auths: { "harbor.corp": auth("docker", "1") } });
      const path = await file("secret", "s3cret \n");
      const source = { ...rest, ...(passwordFile === undefined ? {} : { passwordFile: path }) };
      const options = { env: env({ WHO: "ann", SECRET: "s3cret " }), source };
      expect(await findLogin("harbor.corp", options)).toEqual({ username: "ann", password: "s3cret " });
    });

    it.each<[string, Record<string, string>, string]>([
      ["an empty file", { username: "u", passwordFile: "empty" }, "empty"],
      ["no file", { username: "u", passwordFile: "none" }, "none"],
      ["no variable", { username: "u", passwordEnv: "NOT_SET" }, "env NOT_SET"],
      ["no password", { username: "u" }, "passwordFile, passwordEnv"],
      ["no user", { passwordEnv: "SECRET" }, "username, usernameEnv"],
    ])("that has %s says where", async (_name, { passwordFile, ...rest }, where) => {
      await file("empty", "\n");
      const source = { ...rest, ...(passwordFile === undefined ? {} : { passwordFile: join(home, passwordFile) }) };
      await expect(findLogin("harbor.corp", { env: env(), source })).rejects.toMatchObject({
        code: "CREDENTIALS_UNUSABLE",
        facts: { where: expect.stringContaining(where) as string },
      });
    });
  });
});
