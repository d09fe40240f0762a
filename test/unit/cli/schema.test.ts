import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { readFile } from "node:fs/promises";

describe("manifests/schema", () => {
  it("is what scripts/schema.mjs makes of the models", async () => {
    const { stdout, exitCode } = await execa("node", ["scripts/schema.mjs", "--check"], { reject: false });
    expect({ stale: stdout, exitCode }).toEqual({ stale: "", exitCode: 0 });
  });

  it("takes files without what has a default, and refuses keys that nobody knows", async () => {
    const site = JSON.parse(await readFile("manifests/schema/site.schema.json", "utf8")) as {
      required: string[];
      additionalProperties: boolean;
    };
    expect([site.required, site.additionalProperties]).toEqual([["apiVersion", "kind", "registry"], false]);
  });
});
