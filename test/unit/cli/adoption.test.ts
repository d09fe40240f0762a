import { describe, expect, it } from "vitest";
import { adoptExisting } from "../../../src/cli/wire/adoption.ts";
import type { Context } from "../../../src/cli/context.ts";
import type { SiteSession } from "../../../src/cli/wire/site-session.ts";
import type { ClusterTools } from "../../../src/cli/wire/tools.ts";
import { Failure } from "../../../src/model/failure.ts";
import { aTempDirectory } from "../../rig/temp-directory.ts";

const forbidden = new Failure("CLUSTER_FORBIDDEN", { action: "get configmaps", output: "no" });

describe("a cluster that does not say whose a release is", () => {
  it("is left to preflight to tell of, and stops an install that leaves preflight out", async () => {
    await using folder = await aTempDirectory();
    const plan = { charts: [], mapped: [] };
    const cluster = { namespace: "higress-system", release: "higress" };
    const session = { plan, site: { stateDir: folder.path, cluster } } as unknown as SiteSession;
    const kubectl = { get: () => Promise.reject(forbidden), address: () => Promise.resolve("https://k:6443") };
    const tools = { kubectl, helm: {} } as unknown as ClusterTools;
    const context = { signal: new AbortController().signal } as unknown as Context;
    const asked = { asks: false };
    expect(await adoptExisting({}, session, tools, context, asked)).toMatchObject({ plan, refused: false });
    await expect(adoptExisting({}, session, tools, context, { ...asked, insists: true })).rejects.toThrow(
      "CLUSTER_FORBIDDEN",
    );
  });
});
