import { describe, expect, it } from "vitest";
import { compareOwnerValues } from "../../../../src/stages/survey/owner-values.ts";

describe("the values of an owner", () => {
  const chart = {
    defaults: { global: { ingressClass: "higress", hub: "public" }, gateway: { replicas: 2, env: {} } },
    read: [
      ["gateway", "env"],
      ["gateway", "imagePullSecrets"],
    ],
  };
  const owner = {
    global: { ingressClass: "bank", hub: "old" },
    gateway: { replicas: 4, env: { DB_PASSWORD: "s3cret", URL: "https://me:s3cret@db.example", LONG: "x".repeat(90) } },
    dashboard: { on: true },
  };

  it("stay, are changed by what lies over them, or are no longer read; secrets are not shown", () => {
    const compared = compareOwnerValues(owner, { global: { hub: "harbor" } }, chart);
    expect(compared).toEqual({
      kept: [
        "global.ingressClass=bank",
        "gateway.replicas=4",
        "gateway.env.DB_PASSWORD=***",
        "gateway.env.URL=***",
        `gateway.env.LONG=${"x".repeat(60)}…`,
      ],
      overridden: ["global.hub: old → harbor"],
      unread: ["dashboard.on"],
    });
    expect(JSON.stringify(compared)).not.toContain("s3cret");
  });
});

describe("values of an owner below what takes the place of their map", () => {
  const chart = { defaults: { gateway: { env: {}, tolerations: [], sidecar: {} } }, read: [["gateway"]] };
  const owner = {
    gateway: { env: { A: "1" }, tolerations: [{ key: "x" }], sidecar: {}, affinity: null, port: "8080" },
  };

  it("are not said to stay", () => {
    expect(compareOwnerValues(owner, { gateway: null }, chart).kept).toEqual(["gateway.affinity=null"]);
    const { kept, overridden } = compareOwnerValues(
      owner,
      { gateway: { env: [], sidecar: { on: true }, affinity: {}, port: 8080 } },
      chart,
    );
    expect(kept).toEqual(["gateway.tolerations=[…]", "gateway.sidecar={}"]);
    expect(overridden).toEqual([
      "gateway.env.A: 1 → […]",
      "gateway.affinity: null → {}",
      'gateway.port: "8080" → 8080',
    ]);
  });
});
