import { describe, expect, it } from "vitest";
import { tlsReason } from "../../../src/edge/registry/network-error.ts";

const failed = (code: string, message: string): Error =>
  new TypeError("fetch failed", { cause: Object.assign(new Error(message), { code }) });

describe("tlsReason", () => {
  it("says the same under every Node: no advice for who starts Node, no place of OpenSSL's source", () => {
    const first = "unable to verify the first certificate";
    const advice = "; if the root CA is installed locally, try running Node.js with --use-system-ca";
    for (const message of [first, first + advice])
      expect(tlsReason(failed("UNABLE_TO_VERIFY_LEAF_SIGNATURE", message))).toBe(
        `UNABLE_TO_VERIFY_LEAF_SIGNATURE ${first}`,
      );
    const raw = "00A1:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:../deps/openssl/x.c:355:";
    expect(tlsReason(failed("ERR_SSL_WRONG_VERSION_NUMBER", raw))).toBe(
      "ERR_SSL_WRONG_VERSION_NUMBER SSL routines:ssl3_get_record:wrong version number",
    );
  });
});
