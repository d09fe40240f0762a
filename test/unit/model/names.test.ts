import type * as z from "zod";
import { describe, expect, it } from "vitest";
import {
  ChartName,
  ChartVersion,
  HostText,
  isNamespace,
  KubeVersion,
  NamespaceName,
  ObjectName,
  ReleaseName,
  ResourceName,
} from "../../../src/model/names.ts";

/** What no name may be, whatever it is the name of: it becomes a file name, an argument, a part of a path. */
const never = [
  "",
  ".",
  "..",
  "../x",
  "a/b",
  "a\\b",
  "-x",
  "--post-renderer=/bin/sh",
  "a b",
  "a\n",
  "a\u0000",
  "a\u202eb",
];

describe.each<[string, z.ZodType, readonly string[], readonly string[]]>([
  ["chart name", ChartName, ["higress", "Higress_core", "cert-manager.io"], [".hidden", "a".repeat(101)]],
  [
    "chart version",
    ChartVersion,
    ["2.2.4", "v1.0.0-rc.1+build.5", "1", "1.2"],
    ["latest", "1.2.3.4", "1.0.0-", "1.0.0 ", `1.0.0-${"a".repeat(100)}`, "1.0.0/../../x"],
  ],
  ["release name", ReleaseName, ["higress", "a", "a".repeat(53)], ["a".repeat(54), "Higress", "a.b", "a-"]],
  ["namespace", NamespaceName, ["higress-system", "1", "a".repeat(63)], ["a".repeat(64), "Higress", "a.b", "a-"]],
  ["object name", ObjectName, ["higress", "system:node", "a.b"], ["a".repeat(254), ":a"]],
  ["resource", ResourceName, ["deployments.apps", "secrets"], ["Deployments", ".apps"]],
  ["version of Kubernetes", KubeVersion, ["1.30", "1.30.4"], ["v1.30", "1.30.4-k3s1", "1"]],
  [
    "registry host",
    HostText,
    ["harbor.corp.example", "harbor:5000", "127.0.0.1:5000", "[::1]:5000", "localhost"],
    ["::1:5000", "harbor:99999", "harbor:", "https://harbor", "harbor/x", "user@harbor", "a..b"],
  ],
])("a %s", (_what, schema, good, bad) => {
  it.each(good)("may be %j", (name) => {
    expect(schema.safeParse(name).success).toBe(true);
  });
  it.each([...never, ...bad])("may not be %j", (name) => {
    expect(schema.safeParse(name).success).toBe(false);
  });
});

it("is a namespace by the same rule wherever it is asked", () => {
  for (const name of ["a".repeat(63), "a".repeat(64), "A", "a-", ...never])
    expect(isNamespace(name), name).toBe(NamespaceName.safeParse(name).success);
});
