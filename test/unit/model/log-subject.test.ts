import { describe, expect, it } from "vitest";
import { lineSubject } from "../../../src/model/log-subject.ts";

// As agent and Envoy 1.36.4 wrote them into one log in the same millisecond.
const trap =
  "2026-11-29T12:03:19.994931Z\terror\tenvoy wasm source/extensions/common/wasm/wasm_vm.cc:38\tFunction: _initialize failed: Uncaught RuntimeError: unreachable";
const fetchFailed =
  "2026-11-29T12:03:19.995201Z\terror\twasm\tcannot fetch Wasm module oci://harbor.test/higress/plugins/nosuch:1: manifest unknown";
const pluginFailed =
  "2026-11-29T12:03:19.996091Z\tcritical\tenvoy wasm source/extensions/common/wasm/wasm.cc:615\tPlugin higress-system.broken failed to load";

describe("the subject of a line of the log", () => {
  it("is the plugin that Envoy names after it, whatever the agent says of another in between", () => {
    const lines = [trap, fetchFailed, pluginFailed];
    expect(lineSubject(lines, 0)).toEqual({ by: "name", text: "higress-system.broken" });
    expect(lineSubject(lines, 1)).toEqual({ by: "url", text: "oci://harbor.test/higress/plugins/nosuch:1" });
  });

  it("is nobody where Envoy names none", () => {
    expect(lineSubject([trap, fetchFailed], 0)).toBeUndefined();
  });
});
