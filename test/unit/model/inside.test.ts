import { describe, expect, it } from "vitest";
import { isPrivateAddress } from "../../../src/model/inside.ts";

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
