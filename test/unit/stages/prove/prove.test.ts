import { describe, expect, it } from "vitest";
import { renderedObjects } from "../../../../src/model/rendered-object.ts";
import {
  prove as proveObjects,
  workloadsWithoutPullSecret,
  type ProveOptions,
} from "../../../../src/stages/prove/prove.ts";
import { aConfigMap, aDeployment, asManifest } from "../../../rig/builders/objects.ts";

const prefixes = ["harbor.corp:8443/higress"];
const allowed: ProveOptions = { inside: { prefixes } };
const prove = (yaml: string, options: ProveOptions) => proveObjects(renderedObjects(yaml), options);

const withImage = (image: string): object => aDeployment("w", { containers: [{ name: "c", image }] });
const codes = (object: object, options = allowed): readonly string[] =>
  prove(asManifest(object), options).findings.map(({ code }) => code);

describe("prove", () => {
  it("counts what it looked at, since a proof about nothing is none", () => {
    const proof = prove(asManifest(withImage("harbor.corp:8443/higress/a:1"), aConfigMap("x")), allowed);
    expect(proof).toMatchObject({ images: 1, findings: [] });
    expect(proof.strings).toBeGreaterThan(1);
  });

  it("refuses a console whose URL pattern makes every plugin the same module", () => {
    const consoleWith = (value: string): object =>
      aDeployment("higress-console", {
        containers: [
          {
            name: "c",
            image: "harbor.corp:8443/higress/c:1",
            env: [{ name: "HIGRESS_ADMIN_WASM_PLUGIN_CUSTOM_IMAGE_URL_PATTERN", value }],
          },
        ],
      });
    expect(codes(consoleWith("oci://harbor.corp:8443/higress/plugins/${name}:${version}"))).toEqual([]);
    expect(codes(consoleWith("oci://harbor.corp:8443/higress/plugins/main:1"))).toEqual(["plugin.pattern"]);
  });

  it.each([
    "docker.io/library/nginx:1",
    "nginx",
    "harbor.corp/higress/a:1",
    "harbor.corp:8443/higress-evil/a:1",
    "harbor.corp:8443/other/a:1",
    "evil.example/harbor.corp:8443/higress/a:1",
  ])("refuses the image %s", (image) => {
    expect(codes(withImage(image))).toEqual(["reference.outside"]);
  });

  it("says where, down to the document inside the string, and which host", () => {
    const { findings } = prove(asManifest(aConfigMap('{"a": {"url": "https://evil.example:444/x"}}')), allowed);
    expect(findings).toEqual([
      {
        severity: "error",
        code: "reference.outside",
        facts: {
          where: "ConfigMap/ns/c",
          path: "/data/key!/a/url",
          value: "https://evil.example:444/x",
          host: "evil.example:444",
        },
      },
    ]);
  });

  it("lets stay what an exception means, prints its reason, and nothing else at that place", () => {
    const url = "https://updates.vendor.example/feed";
    const exceptions = [{ kind: "ConfigMap", name: "c", path: "/data/key", value: url, reason: "may fail" }];
    const found = (value: string) => prove(asManifest(aConfigMap(value)), { ...allowed, exceptions }).findings;
    expect(found(url)).toEqual([
      {
        severity: "warning",
        code: "reference.excepted",
        facts: { where: "ConfigMap/ns/c", path: "/data/key", value: url, reason: "may fail" },
      },
    ]);
    expect(found(`${url}2`)).toMatchObject([{ code: "reference.outside" }]);
  });

  it("does not show the login of a URL", () => {
    const { findings } = prove(asManifest(aConfigMap("https://user:pass-word@evil.example/x")), allowed);
    expect(findings).toMatchObject([{ facts: { value: "https://***@evil.example/x", host: "evil.example" } }]);
  });

  it("takes * in an exception for any object of the kind and for any entry of a list", () => {
    const env = { containers: [{ name: "c" }, { name: "d", env: [{ name: "FEED", value: "https://feed.example" }] }] };
    const workload = asManifest({
      kind: "Deployment",
      metadata: { name: "d-x7f2q" },
      spec: { template: { spec: env } },
    });
    const found = (kind: string): readonly string[] =>
      prove(workload, {
        ...allowed,
        exceptions: [
          {
            ...{ kind, name: "*", path: "/spec/template/spec/containers/*/env/*/value" },
            ...{ value: "https://feed.example", reason: "may fail" },
          },
        ],
      }).findings.map(({ code }) => code);
    expect(found("Deployment")).toEqual(["reference.excepted"]);
    expect(found("DaemonSet")).toEqual(["reference.outside"]);
  });

  it.each([
    "oci://registry.example.com/p:1",
    "see http://user:pw@evil.example/x",
    "grpc://8.8.8.8:50051",
    "wss://evil.example",
    "ghcr.io",
    "--hub=quay.io/istio",
    "registry.cn-hangzhou.aliyuncs.com/google_containers",
    "http://harbor.corp.evil.example/",
    "http://172.32.0.1/",
    "http://10.mirror.example/",
    "http://192.168.0.1.evil.example/",
    "http://svc.evil.example",
    "http://${name}.evil.example/",
    "http://a.$(NAME).evil.example:80/",
    "http://{{ .Values.region }}.evil.example",
    "http://{region}.evil.example",
    "http://%s.evil.example",
    "http://$region.evil.example",
    "http://${user}:${password}@${host}.evil.example/",
  ])("refuses the string %s", (value) => {
    expect(codes(aConfigMap(value))).toEqual(["reference.outside"]);
  });

  it.each([
    "http://higress-console.ns.svc:8080/x",
    "http://a.b.svc.cluster.local",
    "xds://127.0.0.1:15051",
    "http://[::1]:80/",
    "k8s://",
    "unix:///var/run/x.sock",
    "file:///opt/plugins/x.wasm",
    "http://higress-controller:8888/ready",
    "http://grafana.ns:3000/d",
    "http://$(HOST):80/",
    "http://${HOST}:80/",
    "http://{{ .Values.host }}/",
    "http://%s/, http://%REQ(:AUTHORITY)%/",
    "http://10.0.0.$(N)/",
    "http://%(domain)s/grafana",
    "http://istiod-$(REV).istio-system.svc:15012",
    "http://istiod.${NAMESPACE}:15012",
    "http://[fd00::1]:8080/, http://[fe80::1]/",
    "http://10.1.2.3:8080/, http://192.168.1.1, http://172.16.0.1",
    "oci://harbor.corp:8443/higress/plugins/x:1",
    "https://harbor.corp:8443/api/v2.0",
    "networking.k8s.io/v1",
    "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
    "higress.io/higress-controller",
    "console.higress.io",
    "http://www.w3.org/2000/svg",
    "10.0.0.0/8",
  ])("lets the string %s be", (value) => {
    expect(codes(aConfigMap(value))).toEqual([]);
  });

  it("lets the user's own hosts be, exactly or below a domain", () => {
    const own = (...hosts: string[]): ProveOptions => ({ inside: { prefixes, hosts } });
    expect(codes(aConfigMap("https://idp.corp.example/x"), own("idp.corp.example"))).toEqual([]);
    expect(codes(aConfigMap("https://idp.corp.example:99/x"), own("*.corp.example"))).toEqual([]);
    expect(codes(aConfigMap("https://corp.example.evil/x"), own("*.corp.example"))).toEqual(["reference.outside"]);
    expect(codes(aConfigMap("https://evilcorp.example/x"), own("*.corp.example"))).toEqual(["reference.outside"]);
    // A host is no licence to pull code from elsewhere.
    expect(codes(withImage("idp.corp.example/a:1"), own("idp.corp.example"))).toEqual(["reference.outside"]);
  });

  it("does not read metadata, but does read a pod template's annotations: injectors pull what they name", () => {
    const noted = { ...aConfigMap("x"), metadata: { name: "c", annotations: { doc: "https://evil.example" } } };
    expect(codes(noted)).toEqual([]);
    const injected = {
      kind: "Deployment",
      metadata: { name: "d" },
      spec: { template: { metadata: { annotations: { "sidecar.istio.io/proxyImage": "docker.io/istio/proxyv2:1" } } } },
    };
    expect(codes(injected)).toEqual(["reference.outside"]);
  });

  it.each(["initContainers", "containers", "ephemeralContainers"])("counts and refuses the images of %s", (list) => {
    const image = (value: string): object => aDeployment("w", { [list]: [{ name: "c", image: value }] });
    expect(prove(asManifest(image("harbor.corp:8443/higress/a:1")), allowed).images).toBe(1);
    expect(codes(image("harbor.corp:8443/higress/a:1"), { ...allowed, carried: new Set() })).toEqual([
      "reference.not-carried",
    ]);
  });

  it("refuses an image that nobody carried, by tag or by digest", () => {
    const digest = `sha256:${"a".repeat(64)}`;
    const carried = new Set(["harbor.corp:8443/higress/a:1", `harbor.corp:8443/higress/b@${digest}`]);
    const options = { ...allowed, carried };
    expect(codes(withImage("harbor.corp:8443/higress/a:1"), options)).toEqual([]);
    expect(codes(withImage(`harbor.corp:8443/higress/b:9@${digest}`), options)).toEqual([]);
    expect(codes(withImage("harbor.corp:8443/higress/a:2"), options)).toEqual(["reference.not-carried"]);
    // A node pulls `latest` of it.
    expect(codes(withImage("harbor.corp:8443/higress/a"), options)).toEqual(["reference.not-carried"]);
  });

  it("says so about an image that is no reference at all", () => {
    expect(codes(withImage("harbor.corp:8443/higress/A B"), { ...allowed, carried: new Set() })).toEqual([
      "reference.not-carried",
    ]);
  });
});

describe("workloadsWithoutPullSecret", () => {
  const containers = [{ name: "c", image: "x:1" }];

  it("names the workload and the account that could carry the secret", () => {
    const manifest = asManifest(
      aDeployment("has", { containers, imagePullSecrets: [{ name: "s" }] }),
      aDeployment("none", { containers }),
      aDeployment("account", { containers, serviceAccountName: "a" }),
      aDeployment("covered", { containers, serviceAccountName: "b" }),
      {
        apiVersion: "v1",
        kind: "ServiceAccount",
        metadata: { name: "b", namespace: "ns" },
        imagePullSecrets: [{ name: "s" }],
      },
      aConfigMap("x"),
    );
    const workloads = workloadsWithoutPullSecret(manifest);
    expect(workloads).toEqual([
      { workload: "Deployment/none", namespace: "ns", account: "default" },
      { workload: "Deployment/account", namespace: "ns", account: "a" },
    ]);
  });

  it("counts an account of another namespace for nothing", () => {
    const elsewhere = {
      kind: "ServiceAccount",
      metadata: { name: "default", namespace: "other" },
      imagePullSecrets: [{ name: "s" }],
    };
    expect(workloadsWithoutPullSecret(asManifest(aDeployment("none", { containers }), elsewhere))).toHaveLength(1);
  });
});
