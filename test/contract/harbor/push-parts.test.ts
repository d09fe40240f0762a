import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { mapItems } from "../../../src/stages/relocate/mapping.ts";
import { pushItems, type PushOptions } from "../../../src/stages/push/push.ts";
import { anImage } from "../../rig/graph.ts";
import { registryOf } from "../../rig/harbor/access.ts";
import { aHarbor, type Harbor } from "../../rig/harbor/harbor.ts";
import { pusher } from "../../rig/harbor/preflight.ts";
import { aLockItem } from "../../rig/lock-item.ts";
import { aSource } from "../../unit/stages/push/memory-target.ts";

const large = [3, 2.5, 9, 2, 4, 3.5, 2.2, 5].map((mega) =>
  anImage({ layers: [{ large: randomBytes(mega * 1_000_000) }] }),
);

describe("uploads through a proxy with a limit", () => {
  let harbor: Harbor;
  beforeAll(async () => {
    harbor = await aHarbor({ users: [pusher] });
  });
  afterAll(() => harbor[Symbol.asyncDispose]());
  let project = "";
  beforeEach(({ task }) => {
    harbor.reset();
    project = `p-${task.id.replace(/\D/g, "")}`;
    harbor.state.identities.set(pusher.name, { ...pusher, projects: { "*": ["pull", "push"] } });
    harbor.set({ project: { [project]: {} } });
  });

  const push = async (options: PushOptions = {}) => {
    const items = large.map((image, index) => aLockItem(`r.io/a/large-${String(index)}:1`, image));
    const { mapped } = mapItems(items, { registry: harbor.host, project, templates: {} });
    await using registry = registryOf(harbor, pusher);
    return await pushItems(mapped, aSource(large), registry, options);
  };

  it.each([
    ["nginx's default", 1024 ** 2, 1],
    ["nginx's default", 1024 ** 2, 8],
    ["a little more than the smallest part", 600_000, 8],
    ["what most blobs have", 8_500_000, 8],
  ])("go in parts below %s, %d B, %d at once", async (_name, bodyLimit, concurrency) => {
    harbor.set({ bodyLimit });
    expect((await push({ concurrency })).tags).toHaveLength(large.length);
    expect(harbor.requests.filter(({ step }) => step === "blob.patch").length).toBeGreaterThan(1);
  });

  it("end with 413 where not even the smallest part passes", async () => {
    harbor.set({ bodyLimit: 500_000 });
    await expect(push()).rejects.toMatchObject({ code: "REGISTRY_REFUSED", facts: { status: 413 } });
  });
});
