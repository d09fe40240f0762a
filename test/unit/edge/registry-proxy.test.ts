import { BlockList } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { resolveProxy } from "../../../src/edge/registry/proxy.ts";

const through = (url: string, env: Record<string, string>) => resolveProxy(new URL(url), env)?.href;
const proxy = "http://proxy.corp:3128";

describe("resolveProxy", () => {
  it.each<[string, string, Record<string, string>, string | undefined]>([
    ["nothing is set", "https://a.example", {}, undefined],
    ["https goes by HTTPS_PROXY", "https://a.example", { HTTPS_PROXY: proxy, HTTP_PROXY: "http://other" }, `${proxy}/`],
    ["http goes by http_proxy", "http://a.example", { http_proxy: proxy }, `${proxy}/`],
    ["http does not go by HTTPS_PROXY", "http://a.example", { HTTPS_PROXY: proxy }, undefined],
    ["ALL_PROXY stands for both", "http://a.example", { ALL_PROXY: proxy }, `${proxy}/`],
    ["lower case wins", "http://a.example", { http_proxy: proxy, HTTP_PROXY: "http://other" }, `${proxy}/`],
    ["an empty one is none", "http://a.example", { http_proxy: "", HTTP_PROXY: "" }, undefined],
    ["without a scheme it is http", "http://a.example", { http_proxy: "proxy.corp:3128" }, `${proxy}/`],
    ["socks5h is what socks5 is", "http://a.example", { ALL_PROXY: "socks5h://p:1080" }, "socks5://p:1080"],
    ["what is not asked may be anything", "http://a.example", { http_proxy: "socks4://p", NO_PROXY: "*" }, undefined],
  ])("%s", (_name, url, env, want) => {
    expect(through(url, env)).toBe(want);
  });

  it.each(["http://", "socks4://proxy.corp:1080", "htttp://user:hunter22@proxy.corp", "http://proxy corp"])(
    "is no way around a proxy that cannot be read: %s",
    (unusable) => {
      const said = "http_proxy: no http://, https:// or socks5://HOST:PORT";
      const env = { http_proxy: unusable, ALL_PROXY: proxy };
      expect(() => through("http://a.example", env)).toThrow(new Error(said));
    },
  );

  it.each<[noProxy: string, url: string, direct: boolean]>([
    ["*", "https://a.example", true],
    ["harbor.corp", "https://harbor.corp", true],
    ["harbor.corp", "https://sub.harbor.corp:8443", true],
    ["harbor.corp", "https://notharbor.corp", false],
    [".corp", "https://harbor.corp", true],
    [".corp", "https://corp", false],
    ["*.corp", "https://harbor.corp", true],
    ["HARBOR.Corp", "https://harbor.corp", true],
    ["harbor.corp:8443", "https://harbor.corp:8443", true],
    ["harbor.corp:8443", "https://harbor.corp", false],
    ["harbor.corp:443", "https://harbor.corp", true],
    ["10.0.0.0/8", "http://10.9.8.7:5000", true],
    ["10.0.0.0/8", "http://11.9.8.7", false],
    ["10.0.0.0/8", "https://ten.corp", false],
    ["10.0.0.0/99", "http://10.0.0.1", false],
    ["fd00::/8", "http://[fd00::1]:5000", true],
    ["fd00::/8", "http://10.0.0.1", false],
    ["::1", "http://[::1]", true],
    ["[::1]:5000", "http://[::1]:5000", true],
    ["127.0.0.1", "http://127.0.0.1:5000", true],
    ["127.0.0.1", "http://127.0.0.10", false],
    ["1.0.0.1", "http://11.0.0.1", false],
    ["a.example, ,b.example", "https://b.example", true],
    ["a.example b.example", "https://b.example", true],
    ["", "https://b.example", false],
  ])("NO_PROXY=%s: %s goes directly: %s", (noProxy, url, direct) => {
    expect(through(url, { ALL_PROXY: proxy, NO_PROXY: noProxy }) === undefined).toBe(direct);
  });

  it("takes exactly the addresses of a range out", () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.ipV4(), fc.integer({ min: 0, max: 32 }), (address, network, prefix) => {
        const list = new BlockList();
        list.addSubnet(network, prefix, "ipv4");
        const direct = through(`http://${address}`, { HTTP_PROXY: proxy, NO_PROXY: `x.example,${network}/${prefix}` });
        expect(direct === undefined).toBe(list.check(address, "ipv4"));
      }),
      { seed: 20261122, numRuns: 300 },
    );
  });

  it("throws for no NO_PROXY whatever", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), (noProxy) => {
        through("http://10.0.0.1", { HTTP_PROXY: proxy, NO_PROXY: noProxy });
      }),
      { seed: 20261122, numRuns: 300 },
    );
  });
});
