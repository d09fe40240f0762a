import { describe, expect, it } from "vitest";
import { renderedObjects } from "../../../../src/model/rendered-object.ts";
import { prove as proveObjects, type ProveOptions } from "../../../../src/stages/prove/prove.ts";
import { aConfigMap, asManifest } from "../../../rig/builders/objects.ts";

const allowed: ProveOptions = { inside: { prefixes: ["harbor.corp:8443/higress"] } };
const prove = (yaml: string, options: ProveOptions) => proveObjects(renderedObjects(yaml), options);
const codes = (object: object, options = allowed): readonly string[] =>
  prove(asManifest(object), options).findings.map(({ code }) => code);

describe("what is not plain text", () => {
  it("is read behind base64, with the coding in the path", () => {
    const yaml = "image: quay.io/vendor/sidecar:1.2\n";
    const secret = {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "s" },
      data: { "sidecar.yaml": Buffer.from(yaml).toString("base64"), key: "AAECAwT/" },
    };
    expect(prove(asManifest(secret), allowed).findings).toMatchObject([
      {
        code: "reference.outside",
        facts: { path: "/data/sidecar.yaml (base64)!/image", value: "quay.io/vendor/sidecar:1.2" },
      },
    ]);
    const binary = {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "c" },
      binaryData: { a: Buffer.from("see https://evil.example/x").toString("base64") },
    };
    expect(codes(binary)).toEqual(["reference.outside"]);
  });

  it("is read in two parts, as charts and operators write references", () => {
    const split = aConfigMap(
      'agent:\n  repository: images.vendor.example/agent\n  tag: "3.1"\nother:\n  hub: registry.vendor.example:5000\n',
    );
    expect(prove(asManifest(split), allowed).findings).toMatchObject(
      ["images.vendor.example", "registry.vendor.example:5000"].map((host) => ({ facts: { host } })),
    );
    // Of a registry that nobody names, where the key says that it is an image.
    const hub = aConfigMap('agent:\n  image:\n    repository: vendor/agent\n    tag: "3.1"\n');
    expect(prove(asManifest(hub), allowed).findings).toMatchObject([
      { facts: { host: "docker.io", value: "vendor/agent" } },
    ]);
    expect(codes(aConfigMap("agent:\n  repository: harbor.corp:8443/higress/agent\n  hub: vendor\n"))).toEqual([]);
  });
});

describe("what is named below the prefix", () => {
  const carried = new Set(["harbor.corp:8443/higress/plugins/key-auth:2.0.0", "harbor.corp:8443/higress/a:1"]);
  const options = { ...allowed, carried };
  it.each([
    "--image=harbor.corp:8443/higress/b:1",
    "oci://harbor.corp:8443/higress/plugins/waf:2.0.0",
    "hub: harbor.corp:8443/higress/elsewhere",
    "harbor.corp:8443/higress/a:2, and more",
  ])("must have been carried: %s", (value) => {
    expect(codes(aConfigMap(value), options)).toEqual(["reference.not-carried"]);
  });

  it.each([
    "--image=harbor.corp:8443/higress/a:1",
    "harbor.corp:8443/higress",
    "harbor.corp:8443/higress/",
    "harbor.corp:8443/higress/plugins",
    "harbor.corp:8443/higress/plugins/key-auth",
    "oci://harbor.corp:8443/higress/plugins/${name}:${version}",
    "harbor.corp:8443/higress/{{ .Values.image }}:1",
  ])("may be a part of what was: %s", (value) => {
    expect(codes(aConfigMap(value), options)).toEqual([]);
  });
});
