import { describe, expect, it } from "vitest";
import { isInsidePattern, isOfNetwork } from "../../../src/model/host.ts";
import { insideBy, isFetchedInside } from "../../../src/model/inside.ts";

describe("isOfNetwork", () => {
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
    expect(isOfNetwork(address)).toBe(true);
  });
  it.each(["harbor.corp", "10.corp", "172.32.0.1", "172.15.0.1", "100.128.0.1", "8.8.8.8", "2001:db8::1"])(
    "%s is none",
    (address) => {
      expect(isOfNetwork(address)).toBe(false);
    },
  );
});

describe("insideBy", () => {
  const site = {
    prefixes: ["harbor.corp:8443/p"],
    hosts: [
      ...["SSO.corp", "llm.corp:8443", "*.ops.corp", "203.0.113.0/24", "2001:db8::/32"],
      ...["3fff::7", "[3fff::8]:8443", "203.0.114.9:80", "*.银行.example", "bücher.example"],
    ],
    namespaces: ["dev"],
  };
  it.each([
    ["harbor.corp:8443", "registry"],
    ["sso.corp:443", "SSO.corp"],
    ["llm.corp:8443", "llm.corp:8443"],
    ["a.b.ops.corp", "*.ops.corp"],
    ["203.0.113.7:9000", "203.0.113.0/24"],
    ["[2001:db8::1]:80", "2001:db8::/32"],
    ["[3FFF:0::7]:80", "3fff::7"],
    ["[3fff::8]:8443", "[3fff::8]:8443"],
    ["[3fff::8]", undefined],
    ["203.0.114.9:80", "203.0.114.9:80"],
    ["203.0.114.9", undefined],
    ["sso.corp.", "SSO.corp"],
    ["a.ops.corp.:8080", "*.ops.corp"],
    ["pay.xn--jn2a72x.example", "*.银行.example"],
    ["支付.银行.example:443", "*.银行.example"],
    ["BÜCHER.example", "bücher.example"],
    ["10.1.2.3:5000", "network"],
    ["[::ffff:10.1.2.3]", "network"],
    ["a.b.svc.bank.local:80", "network"],
    ["a.b.svc.cluster.local.", "network"],
    ["api.svc.vendor.example", undefined],
    ["console.dev:8080", "network"],
    ["updates.vendor.dev", undefined],
    ["console", "network"],
    ["a.higress-system.svc:80", "network"],
    ["harbor.corp", undefined],
    ["llm.corp", undefined],
    ["ops.corp", undefined],
    ["evilops.corp", undefined],
    ["203.0.114.1", undefined],
    ["api%2eevil.example", undefined],
    ["%s", "network"],
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
    "203.0.113.7:8443",
    "2001:db8::7",
    "[2001:db8::7]:8443",
    "*.银行.example:443",
    "sso.bank.example.",
    "sso",
  ])("takes %s", (text) => {
    expect(isInsidePattern(text)).toBe(true);
  });
  it.each([
    "https://sso.bank.example",
    "a/b",
    "*",
    "*.",
    "10.0.0.0/40",
    "a b",
    "",
    "-a.b",
    "a..b",
    "*.10.1.2.3",
    "a:b",
  ])("refuses %j", (text) => {
    expect(isInsidePattern(text)).toBe(false);
  });
});
