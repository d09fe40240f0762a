import { describe, expect, it } from "vitest";
import type { Event } from "../../../src/model/event.ts";
import { mapItems } from "../../../src/stages/relocate/mapping.ts";
import { pushItems, type PushOptions } from "../../../src/stages/push/push.ts";
import { anImage } from "../../rig/graph.ts";
import { apiOf, registryOf } from "../../rig/harbor/access.ts";
import { admin, aHarbor } from "../../rig/harbor/harbor.ts";
import { aLockItem } from "../../rig/lock-item.ts";
import { aSource } from "../../unit/stages/push/memory-target.ts";

const images = ["gateway", "pilot", "console"].map((name) => anImage({ layers: [{ name }] }));
const items = images.map((image, at) => aLockItem(`r.io/a/${String(at)}:1`, image));

describe("pushItems where the project is not there", () => {
  it("counts everything in a dry run when the project will be made", async () => {
    await using harbor = await aHarbor();
    await using registry = registryOf(harbor, admin);
    const { mapped } = mapItems(items, { registry: harbor.host, project: "p", templates: {} });
    const result = await pushItems(mapped, aSource(images), registry, { dryRun: true, newProjects: new Set(["p"]) });
    expect(result).toMatchObject({ present: 0, blobs: { present: 0 } });
    expect(result.uploaded).toBeGreaterThan(0);
    expect(harbor.requests).toEqual([]);
  });

  it("says so, though Harbor answers 401, once and without trying again", async () => {
    await using harbor = await aHarbor();
    await using registry = registryOf(harbor, admin);
    await using state = apiOf(harbor, admin);
    const { mapped } = mapItems(items, { registry: harbor.host, project: "p", templates: {} });
    const heard: Event[] = [];
    const options: PushOptions = { state, report: (event) => heard.push(event) };
    await expect(pushItems(mapped, aSource(images), registry, options)).rejects.toMatchObject({
      code: "REGISTRY_NOT_FOUND",
      facts: { host: harbor.host, answer: "project p" },
    });
    expect(heard).toEqual([]);
  });
});
