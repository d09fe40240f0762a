import { beforeEach, describe, expect, it } from "vitest";
import { MediaType } from "../../../../src/model/media-type.ts";
import { isFailure, type Failure } from "../../../../src/model/failure.ts";
import type { Digest } from "../../../../src/model/digest.ts";
import { mapItems } from "../../../../src/stages/relocate/mapping.ts";
import type { Mapped } from "../../../../src/model/relocation.ts";
import { pushItems, type PushOptions } from "../../../../src/stages/push/push.ts";
import { aBlob, anImage, anIndex, aParent, type Seed } from "../../../rig/graph.ts";
import { aLockItem } from "../../../rig/lock-item.ts";
import { aSource, blobUnknown, MemoryTarget, refused } from "./memory-target.ts";

const amd = anImage({ layers: [{ a: "1" }] });
const arm = anImage({ layers: [{ a: "2" }], architecture: "arm64" });
const index = anIndex([amd, arm]);
const layerOf = (seed: Seed): Digest =>
  [...seed.blobs].find(([, bytes]) => bytes[0] === 0x1f && bytes[1] === 0x8b)?.[0] ?? ("?" as Digest);
const mapped = (seed: Seed, reference = "r.io/a/b:1"): readonly Mapped[] =>
  mapItems([aLockItem(reference, seed)], { registry: "h.corp", project: "p", templates: {} }).mapped;
const push = (seed: Seed, options: PushOptions = {}) => pushItems(mapped(seed), aSource([seed]), target, options);
const failureOf = async (work: Promise<unknown>): Promise<Pick<Failure, "code" | "facts" | "side">> => {
  const error: unknown = await work.then(
    () => "no failure",
    (reason: unknown) => reason,
  );
  if (!isFailure(error)) throw error;
  return { code: error.code, facts: error.facts, side: error.side };
};

let target: MemoryTarget;
beforeEach(() => {
  target = new MemoryTarget();
});

describe("pushItems, when the registry loses content", () => {
  it("sends the blobs again that a refused manifest names", async () => {
    const layer = layerOf(amd);
    let once = true;
    target.before = ({ step, what }) => {
      if (step !== "tag" || what !== "1" || !once) return;
      once = false;
      throw blobUnknown([layer]);
    };
    await push(amd);
    expect(target.calls.filter(({ step, what }) => step === "push" && what === layer)).toHaveLength(2);
    expect(target.tags.get("p/a/b:1")?.digest).toBe(amd.root.digest);
  });

  it("asks for every blob when the refusal names none, and sends what is gone", async () => {
    const layer = layerOf(amd);
    let once = true;
    target.before = ({ step }) => {
      if (step !== "tag" || !once) return;
      once = false;
      target.blobs.delete(`p/a/b@${layer}`);
      throw blobUnknown([]);
    };
    await push(amd);
    expect(target.tags.size).toBe(1);
  });

  it("puts the children again when Harbor's database does not know them", async () => {
    let once = true;
    target.before = ({ step }) => {
      if (step !== "tag" || !once) return;
      once = false;
      target.blobs.delete(`p/a/b@${arm.root.digest}`);
    };
    await push(index);
    expect(target.tags.get("p/a/b:1")?.digest).toBe(index.root.digest);
  });

  it("gives up after a few rounds, with what the registry said", async () => {
    target.before = ({ step }) => {
      if (step === "tag") throw blobUnknown([layerOf(amd)]);
    };
    expect(await failureOf(push(amd, { settleDelay: 1 }))).toMatchObject({
      code: "REGISTRY_REFUSED",
      facts: { status: 400 },
    });
  });

  it("asks again for blobs that are more than an hour old when their manifest's turn comes", async () => {
    let hours = 0;
    const layer = layerOf(amd);
    target.before = ({ step, what }) => {
      if (step !== "push" || what !== index.root.digest) hours += step === "push" ? 2 : 0;
    };
    await push(index, { now: () => hours * 3_600_000, concurrency: 1 });
    const asked = target.calls.filter(({ step, what }) => step === "has" && what === layer);
    expect(asked.length).toBeGreaterThan(1);
  });

  it("asks once only when the push is quick", async () => {
    await push(index, { now: () => 0 });
    expect(target.calls.filter(({ step, what }) => step === "has" && what === layerOf(amd))).toHaveLength(1);
  });
});

describe("pushItems, when a tag is guarded", () => {
  it("takes an immutable tag with the same digest for present", async () => {
    await push(amd);
    target.before = ({ step }) => {
      if (step === "tag") throw refused(412, "PRECONDITION");
    };
    expect((await push(amd)).blobs.uploaded).toBe(0);
  });

  it("fails on an immutable tag with another digest, in the registry's words", async () => {
    await push(amd);
    target.before = ({ step }) => {
      if (step === "tag") throw refused(412, "PRECONDITION: configured as immutable");
    };
    expect(await failureOf(push(arm))).toMatchObject({
      code: "REGISTRY_REFUSED",
      facts: { status: 412, answer: "PRECONDITION: configured as immutable" },
    });
  });

  it("reads a tag by the artifact API when a pull policy answers 412", async () => {
    target.before = ({ step }) => {
      if (step === "head") throw refused(412);
    };
    const asked: string[] = [];
    const artifactDigest = (repository: string, tag: string): Promise<Digest | undefined> => {
      asked.push(`${repository}:${tag}`);
      return Promise.resolve(target.tags.get(`${repository}:${tag}`)?.digest);
    };
    await push(amd, { artifactDigest });
    expect((await push(amd, { artifactDigest })).blobs.uploaded).toBe(0);
    expect(asked).toEqual(["p/a/b:1", "p/a/b:1", "p/a/b:1"]);
  });

  it("trusts the PUT when a policy hides the tag and there is no other way to ask", async () => {
    target.before = ({ step }) => {
      if (step === "head") throw refused(412);
    };
    await push(amd);
    expect(target.tags.size).toBe(1);
  });

  it("says so when a tag points elsewhere afterwards", async () => {
    target.before = ({ step }) => {
      if (step === "head" && target.tags.size > 0) target.tags.set("p/a/b:1", arm.root);
    };
    expect(await failureOf(push(amd))).toEqual({
      code: "CONTENT_MISMATCH",
      facts: { what: "p/a/b:1", wanted: amd.root.digest, got: arm.root.digest },
      side: "target",
    });
  });
});

describe("pushItems of a delta", () => {
  const layer = layerOf(amd);

  it("refuses before anything is sent when the target lacks what the bundle leaves out, and names it", async () => {
    const work = pushItems(mapped(index), aSource([index], [layer, layerOf(arm)]), target, { base: "higress-2.2.3" });
    const { code, facts } = await failureOf(work);
    expect(code).toBe("DELTA_BASE_MISSING");
    expect(facts).toMatchObject({
      missing: 2,
      base: "higress-2.2.3",
      examples: expect.stringContaining(layer) as string,
    });
    expect(target.count("push") + target.count("mount") + target.count("tag")).toBe(0);
  });

  it("uses what the target has", async () => {
    await push(amd);
    const sent = target.uploaded;
    await pushItems(mapped(index, "r.io/a/b:2"), aSource([index], [layer]), target);
    expect(target.tags.get("p/a/b:2")?.digest).toBe(index.root.digest);
    expect(target.uploaded).toBeGreaterThan(sent);
  });

  it("reads a manifest that it leaves out from the target", async () => {
    await push(index);
    const tagged = aSource([index], [...index.blobs.keys()]);
    await pushItems(mapped(index, "r.io/a/b:2"), tagged, target);
    expect(target.tags.get("p/a/b:2")?.digest).toBe(index.root.digest);
  });

  it("names a manifest that neither side has", async () => {
    const work = pushItems(mapped(index), aSource([index], [amd.root.digest]), target);
    expect(await failureOf(work)).toMatchObject({ code: "DELTA_BASE_MISSING", facts: { examples: amd.root.digest } });
  });

  it("copies a blob within the target when it is neither carried nor mountable", async () => {
    await push(amd);
    target.mounts = false;
    const two = mapItems([aLockItem("r.io/a/b:1", amd), aLockItem("r.io/c/d:1", amd)], {
      registry: "h.corp",
      project: "p",
      templates: {},
    }).mapped;
    await pushItems(two, aSource([amd], [layer]), target);
    expect(target.tags.get("p/c/d:1")?.digest).toBe(amd.root.digest);
  });
});

describe("pushItems to Harbor", () => {
  const odd = (config: string, mediaType: string): Seed => {
    return aParent(MediaType.ociManifest, [aBlob(config, mediaType)], (described) => ({
      config: described,
      layers: [],
    }));
  };

  it.each([
    ["2.15.0", "not json", "application/vnd.module.wasm.config.v1+json", true],
    ["2.15.0", "", "application/vnd.module.wasm.config.v1+json", true],
    ["2.9.4", "", "application/vnd.module.wasm.config.v1+json", false],
    ["2.9.4", "not json", "application/vnd.oci.empty.v1+json", true],
    ["2.15.0", "not json", "application/vnd.oci.empty.v1+json", false],
    ["2.15.0", "[]", "application/vnd.cncf.helm.config.v1+json", true],
    ["2.15.0", "{}", "application/vnd.module.wasm.config.v1+json", false],
    ["2.12.0", "raw", "application/vnd.wasm.config.v1+json", false],
  ])("Harbor %s and config %j of %s: refused %s", async (harborVersion, config, mediaType, isRefused) => {
    const seed = odd(config, mediaType);
    if (!isRefused) {
      await push(seed, { harborVersion });
      return;
    }
    expect(await failureOf(push(seed, { harborVersion }))).toMatchObject({ code: "MANIFEST_INVALID", side: "target" });
    expect(target.count("push")).toBe(0);
  });
});
