import { describe, expect, it } from "vitest";
import { insideBy, isFetchedInside, isInsidePattern, isPrivateAddress } from "../../../src/model/inside.ts";

describe("isPrivateAddress", () => {
  it.each([
    "10.1.2.3",
    "172.16.0.1",
    "172.31.255.1",
    "192.168.1.1",
    "127.0.0.1",
    "100.64.0.1",
    "[::1]",
    "fd00::1",
    "fe80::1",
  ])("%s is one", (address) => {
    expect(isPrivateAddress(address)).toBe(true);
  });
  it.each(["harbor.corp", "10.corp", "172.32.0.1", "172.15.0.1", "100.128.0.1", "8.8.8.8", "2001:db8::1"])(
    "%s is none",
    (address) => {
      expect(isPrivateAddress(address)).toBe(false);
    },
  );
});

describe("insideBy", () => {
  const site = {
    prefixes: ["harbor.corp:8443/p"],
    hosts: ["SSO.corp", "llm.corp:8443", "*.ops.corp", "203.0.113.0/24", "2001:db8::/32"],
  };
  it.each([
    ["harbor.corp:8443", "registry"],
    ["sso.corp:443", "SSO.corp"],
    ["llm.corp:8443", "llm.corp:8443"],
    ["a.b.ops.corp", "*.ops.corp"],
    ["203.0.113.7:9000", "203.0.113.0/24"],
    ["[2001:db8::1]:80", "2001:db8::/32"],
    ["10.1.2.3:5000", "network"],
    ["console", "network"],
    ["a.higress-system.svc:80", "network"],
    ["harbor.corp", undefined],
    ["llm.corp", undefined],
    ["ops.corp", undefined],
    ["evilops.corp", undefined],
    ["203.0.114.1", undefined],
    ["", undefined],
  ])("%s is inside by %s", (host, by) => {
    expect(insideBy(host, site)).toBe(by);
  });
});

describe("isFetchedInside", () => {
  const site = { prefixes: ["harbor.corp/p"] };
  it.each([
    ["http://10.1.2.3/p.wasm", true],
    ["oci://harbor.corp/other/x:1", true],
    ["file:///opt/plugins/x/plugin.wasm", true],
    ["oci://x:1", false],
    ["plugins/x:1", false],
    ["https://u:p@evil.example/p.wasm?h=harbor.corp", false],
    ["oci://harbor.corp@evil.example/p/x:1", false],
  ])("%s: %s", (url, inside) => {
    expect(isFetchedInside(url, site)).toBe(inside);
  });
});

describe("isInsidePattern", () => {
  it.each([
    "sso.bank.example",
    "sso.bank.example:8443",
    "*.bank.example",
    "10.0.0.0/8",
    "2001:db8::/32",
    "203.0.113.7",
    "sso",
  ])("takes %s", (text) => {
    expect(isInsidePattern(text)).toBe(true);
  });
  it.each(["https://sso.bank.example", "a/b", "*", "*.", "10.0.0.0/40", "a b", "", "-a.b", "a..b"])(
    "refuses %j",
    (text) => {
      expect(isInsidePattern(text)).toBe(false);
    },
  );
});
