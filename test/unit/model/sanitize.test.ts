import { describe, expect, it } from "vitest";
import { redact, sanitize } from "../../../src/model/sanitize.ts";

const jwt = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJyb2JvdCJ9.c2lnbmF0dXJl";

describe("redact", () => {
  it.each([
    ["a password in a URL", "GET https://robot:hunter2@harbor.corp/v2/", "hunter2"],
    ["a password with an @ in a URL", "https://robot:hun@ter2@harbor.corp/v2/", "ter2"],
    ["a token that is all of the user info", "https://ghp_hunter2@github.example/a", "hunter2"],
    ["a password behind a flag", "--from=https://a:hunter2@b --2-https://a:hunter2@b", "hunter2"],
    ["a Basic header", "Authorization: Basic cm9ib3Q6aHVudGVyMg==", "cm9ib3Q6"],
    ["a Bearer header in JSON", '{"authorization":"Bearer hunter2hunter2"}', "hunter2"],
    ["a JSON web token by itself", `answer ${jwt}`, "c2lnbmF0dXJl"],
    ["a JSON web token behind a dash", `robot-${jwt}`, "c2lnbmF0dXJl"],
    ["a password in quotes", `password: "hunter2 and more"`, "and more"],
    ["a password that looks like a version", "token:1.2.3", "1.2.3"],
    ["a header that looks like one", "x-auth: 1.2.3", "1.2.3"],
    ["what stands behind a name that ends as a plugin's does", "registry-auth:cm9ib3Q6aHVudGVyMg==", "cm9ib3Q6"],
    ["a signed URL", "https://s3.corp/blob?X-Amz-Signature=hunter2&a=b", "hunter2"],
  ])("takes out %s", (_what, text, secret) => {
    const kept = redact(text);
    expect(kept).not.toContain(secret);
    expect(kept).toContain("***");
  });

  it.each([
    "oci://harbor.corp:8443/higress/ai-proxy:2.0.0",
    `docker.io/library/nginx@sha256:${"0".repeat(64)}`,
    "https://harbor.corp/c/oidc/login?login_hint=someone@corp",
    "harbor.corp/higress/plugins/key-auth:2.0.1",
    "GET plugins/basic-auth:1.0.0-rc.1: not found",
    "Higress 2.2.4 on 10.0.0.1, kubectl v1.36.2",
  ])("leaves %s as it is", (text) => {
    expect(redact(text)).toBe(text);
  });

  // What a stranger sends decides how long this works: at a quadratic cost each of these is minutes.
  it.each([
    ["letters", "a".repeat(512 * 1024)],
    ["halves of tokens", "-eyJaaaaaaaa".repeat(64 * 1024)],
    ["dots", "a.".repeat(256 * 1024)],
    ["schemes", "a://b:".repeat(128 * 1024)],
    ["open quotes", `password="`.repeat(64 * 1024)],
    ["versions", `a-auth:1.1-${".".repeat(256 * 1024)}é`],
    ["blanks", `password${" ".repeat(512 * 1024)}`],
  ])("takes a time in proportion to a text of nothing but %s", (_what, text) => {
    expect(redact(text).length).toBeLessThanOrEqual(text.length);
  });
});

describe("sanitize", () => {
  it("takes out what a terminal would obey, and keeps one line", () => {
    expect(sanitize("\u001b[31mred\u001b[0m\r\n\u0007bell\u202egnp.exe")).toBe("red bellgnp.exe");
  });

  const marks = [0x61c, 0x180e, 0x200b, 0x200c, 0x200d, 0x200e, 0x200f, 0x2028, 0x2029, 0x202a, 0x202e, 0x2060, 0x2066];
  it.each(
    [...marks, 0xad, 0x115f, 0x3164, 0xe0041, 0xfff9, 0xdc00, 0x206f, 0xfeff, 0x0, 0x1b, 0x7f, 0x9b].map(
      (code) => [code.toString(16), code] as const,
    ),
  )("takes out U+%s, which turns or hides what is read", (_name, code) => {
    expect(sanitize(`a${String.fromCodePoint(code)}b`)).toBe("ab");
  });

  it("cuts no letter in half", () => {
    const cut = sanitize(`${"x".repeat(9)}𠮷𠮷`, 10);
    expect(cut).toBe(`${"x".repeat(9)}…`);
  });

  it("ends a long text with a mark", () => {
    expect(sanitize("x".repeat(50), 10)).toBe(`${"x".repeat(10)}…`);
  });
});
