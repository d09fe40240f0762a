import { describe, expect, it } from "vitest";
import { actionsOf, isFresh, parseToken, realmUrl, tokenRequest } from "../../../src/edge/registry/auth/token.ts";

const parse = (document: unknown) => parseToken(Buffer.from(JSON.stringify(document)));

describe("a token", () => {
  it.each<[string, unknown, string | undefined]>([
    ["token", { token: "t" }, "t"],
    ["access_token", { access_token: "a" }, "a"],
    ["an empty access_token", { token: "t", access_token: "" }, "t"],
    ["an empty token", { token: "", access_token: "a" }, "a"],
    ["neither", { expires_in: 3 }, undefined],
    ["one that would be two headers", { token: "t\r\nX-Evil: 1" }, undefined],
    ["an array", [], undefined],
  ])("is read from %s", (_name, document, want) => {
    expect(parse(document)?.value).toBe(want);
  });

  it.each([
    [undefined, 60],
    [0, 60],
    [-5, 60],
    [1800, 1800],
  ])("that says expires_in %s lives %d s", (expiresIn, seconds) => {
    expect(parse({ token: "t", expires_in: expiresIn })?.lifetime).toBe(seconds * 1000);
  });

  it.each<[lifetime: number, age: number, fresh: boolean]>([
    [1800, 1439, true],
    [1800, 1441, false],
    [120, 59, true],
    [120, 61, false],
    [2, 0.9, true],
    [2, 1.1, false],
  ])("of %d s is fresh after %d s: %s", (lifetime, age, fresh) => {
    const token = { value: "t", fetchedAt: 1000, lifetime: lifetime * 1000 };
    expect(isFresh(token, 1000 + age * 1000)).toBe(fresh);
  });

  it.each<[string, string, string, string | undefined, string | undefined]>([
    ["as it says", "https://r.example", "https://auth.example/token", undefined, "https://auth.example/token"],
    [
      "Harbor's at our own origin",
      "http://10.0.0.1:30002",
      "https://harbor.corp/service/token",
      "harbor-registry",
      "http://10.0.0.1:30002/service/token",
    ],
    [
      "only Harbor's",
      "https://r.example",
      "https://harbor.corp/service/token",
      "other",
      "https://harbor.corp/service/token",
    ],
    ["relative", "https://r.example", "/token", undefined, "https://r.example/token"],
    [
      "plain http from plain http",
      "http://r.example",
      "http://auth.example/token",
      undefined,
      "http://auth.example/token",
    ],
    ["never plain http from https", "https://r.example", "http://auth.example/token", undefined, undefined],
    ["never a file", "http://r.example", "file:///etc/passwd", undefined, undefined],
  ])("is asked for %s", (_name, origin, realm, service, want) => {
    expect(realmUrl({ realm, service }, new URL(origin))?.href).toBe(want);
  });

  it("is asked for with every scope, and the password in a header", () => {
    const login = { username: "u", password: "p" };
    const request = tokenRequest(
      new URL("https://a/t?x=1"),
      { realm: "", service: "s" },
      ["a:b:pull", "c:d:push"],
      login,
    );
    expect(request).toMatchObject({ method: "GET", authorization: "Basic dTpw" });
    expect(request.url.search).toBe("?x=1&service=s&scope=a%3Ab%3Apull&scope=c%3Ad%3Apush");
  });

  it("is asked for by POST where docker login left an identity token, which stays out of the URL", () => {
    const login = { username: "<token>", password: "", identityToken: "refresh" };
    const request = tokenRequest(new URL("https://a/t"), { realm: "", service: "s" }, ["x"], login);
    expect(request.method).toBe("POST");
    expect(request.url.href).toBe("https://a/t");
    expect(Buffer.from(request.body!).toString()).toContain("grant_type=refresh_token&refresh_token=refresh");
  });

  it("tells what it holds, if it can", () => {
    const jwt = (access: unknown) => `h.${Buffer.from(JSON.stringify({ access })).toString("base64url")}.s`;
    expect(actionsOf(jwt([{ type: "repository", name: "a/b", actions: ["push", "pull"] }]), "a/b")).toEqual([
      "pull",
      "push",
    ]);
    expect(actionsOf(jwt([{ type: "repository", name: "a/b", actions: null }]), "a/b")).toEqual([]);
    expect(actionsOf("opaque", "a/b")).toBeUndefined();
    expect(actionsOf("a.%%%.c", "a/b")).toBeUndefined();
  });
});
