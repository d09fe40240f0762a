import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Symptom, SymptomTable, symptomReader } from "../../../../src/model/symptom.ts";
import { loadTyped } from "../../../../src/std/yaml.ts";
import { readLogs } from "../../../../src/stages/doctor/doctor.ts";
import { unrecorded } from "../../../rig/gateway/unrecorded.ts";
import { processorTime } from "../../../rig/processor-time.ts";

const table = SymptomTable.parse(loadTyped(readFileSync("manifests/higress/symptoms.yaml", "utf8"))[0]);
const read = symptomReader(table.symptoms);

interface Recording {
  readonly envoy: string;
  readonly situations: readonly {
    readonly name: string;
    readonly symptom: string;
    readonly lines: readonly string[];
  }[];
}

/** What real gateways printed in each situation: scripts/record-gateway-lines.mjs writes it down. */
const recordings = ["1.36.4", "1.36.4-json", "1.40.0"].map(
  (envoy) => JSON.parse(readFileSync(`test/rig/gateway/lines-envoy-${envoy}.json`, "utf8")) as Recording,
);
const recorded = recordings.flatMap(({ envoy, situations }) => situations.map((each) => ({ envoy, ...each })));

// The lines that gateways, pilots, kubelets and schedulers were seen to print (docs/facts/higress.md#log-lines).
const seen: readonly (readonly [string, string])[] = [
  ["wasm-pull-started", "info\twasm\tfetching image plugins/ai-proxy from registry harbor.test with tag 2.0.1"],
  ["wasm-fetch-failed", "error\twasm\tconvert the wasm config: 1 error occurred:\n\t* cannot fetch Wasm module URL: x"],
  [
    "wasm-fetch-failed",
    "error wasm error in applying failopen rbac config: cannot fetch Wasm module oci://h/p:1: boom",
  ],
  ["wasm-manifest-unfetched", "could not fetch Wasm OCI image: could not fetch manifest: something new"],
  [
    "wasm-registry-refused",
    'could not fetch manifest: Get "https://harbor.test/v2/": dial tcp 10.0.0.1:443: connect: connection refused',
  ],
  [
    "wasm-registry-reset",
    'could not fetch manifest: Get "https://higress-registry.cn-hangzhou.cr.aliyuncs.com/v2/": read tcp 10.0.0.2:1->10.0.0.1:443: read: connection reset by peer',
  ],
  [
    "wasm-registry-silent",
    'cannot fetch Wasm module x: could not fetch Wasm OCI image: could not fetch manifest: Get "https://h/v2/": context deadline exceeded',
  ],
  [
    "registry-name-unknown",
    'Get "https://higress-registry.cn-hangzhou.cr.aliyuncs.com/v2/": dial tcp: lookup higress-registry.cn-hangzhou.cr.aliyuncs.com on 10.96.0.10:53: no such host',
  ],
  [
    "registry-ca-unknown",
    'Get "https://harbor.test/v2/": tls: failed to verify certificate: x509: certificate signed by unknown authority',
  ],
  ["wasm-plain-http", "info wasm fetching image with plain text from harbor.test/plugins/x:1"],
  [
    "registry-unauthorized",
    "could not fetch manifest: GET https://harbor.test/service/token: UNAUTHORIZED: authentication required; [map[Action:pull Class: Name:x Type:repository]]",
  ],
  [
    "registry-unauthorized",
    "could not fetch manifest: GET https://h/v2/x/manifests/1: DENIED: requested access to the resource is denied",
  ],
  [
    "registry-unauthorized",
    "could not fetch manifest: GET https://h/v2/: unexpected status code 401 Unauthorized: <html>",
  ],
  [
    "plugin-not-in-registry",
    "could not fetch manifest: GET https://h/v2/plugins/x/manifests/2.0.1: MANIFEST_UNKNOWN: manifest unknown; map[]",
  ],
  [
    "plugin-not-in-registry",
    "GET https://h/v2/plugins/x/manifests/2.0.1: NAME_UNKNOWN: repository name not known to registry",
  ],
  ["plugin-not-in-registry", "GET https://h/v2/x/manifests/1: unexpected status code 404 Not Found"],
  ["wasm-pull-secret-missing", "cannot fetch Wasm module higress-system.ai-proxy: missing image pulling secret"],
  ["wasm-pull-secret-missing", "Failed to fetch docker credential pull: secret higress-system/pull not found"],
  [
    "wasm-pull-secret-type",
    "Failed to fetch docker credential pull: type of secret higress-system/pull is not kubernetes.io/dockerconfigjson",
  ],
  ["wasm-checksum", "module downloaded from oci://h/p:1 has checksum aa, which does not match: bb"],
  [
    "wasm-layout",
    "could not fetch Wasm binary: the given image is in invalid format as an OCI image: 2 errors occurred:",
  ],
  [
    "wasm-layout",
    "\t* could not parse as compat variant: invalid media type application/vnd.module.wasm.content.layer.v1+wasm (expect application/vnd.oci.image.layer.v1.tar+gzip)",
  ],
  ["wasm-layout", "\t* could not parse as oci variant: number of layers must be 2 but got 1"],
  ["wasm-layout", "could not find the layer of type application/vnd.module.wasm.content.layer.v1+wasm"],
  ["wasm-layout", "plugin.wasm not found in the archive"],
  ["wasm-layout", "failed to parse layer as tar.gz: gzip: invalid header"],
  ["wasm-layout-docker", "could not extract Wasm file from the image as Docker container x"],
  ["wasm-not-wasm", "fetched Wasm binary from http://plugin-server/x.wasm is invalid"],
  [
    "wasm-http-missing",
    "wasm module download failed after 1 attempts, last error: wasm module download request failed: status code 404",
  ],
  [
    "wasm-http-failed",
    "wasm module download failed after 5 attempts, last error: wasm module download request failed: status code 503",
  ],
  ["wasm-abi", "Wasm VM failed Missing or unknown Proxy-Wasm ABI version"],
  ["wasm-corrupt", "Failed to parse corrupted Wasm module"],
  ["wasm-corrupt", "Failed to load Wasm bytecode"],
  ["wasm-import", "Failed to load Wasm module due to a missing import: env.proxy_inject_encoded_data_to_filter_chain"],
  ["wasm-import", "Failed to load Wasm module due to a missing import: wasi_snapshot_preview1.fd_pread"],
  ["wasm-config", "wasm log: [mcp-server] parse config failed, plugin start failed"],
  ["wasm-config", "Wasm VM failed Failed to configure base Wasm plugin"],
  ["wasm-early-call", "Function: _start failed: Uncaught Error: restricted_callback"],
  ["wasm-request-trap", "Function: proxy_on_request_headers failed: Uncaught RuntimeError: unreachable"],
  [
    "wasm-filter-rejected",
    "gRPC config for type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig rejected: Unable to create Wasm HTTP filter higress-system.x",
  ],
  [
    "wasm-filter-rejected",
    "delta config for type.googleapis.com/x rejected: Unable to create Wasm HTTP filter higress-system.x",
  ],
  ["wasm-plugin-failed", "Plugin configured to fail closed failed to load"],
  ["gateway-segfault", "Caught Segmentation fault, suspect faulting address 0x0"],
  ["gateway-segfault", "Epoch 0 exited with error: signal: segmentation fault"],
  ["gateway-page-size", "Epoch 0 exited with error: signal: trace/breakpoint trap (core dumped)"],
  ["gateway-page-size", "Check failed: 12 == (*__errno_location ())."],
  ["wasm-disabled", "wasmPlugin:ai-proxy will not be transferred to istio since config disabled"],
  ["wasm-rule-empty", "invalid match rule has no match condition, rule:x"],
  ["registry-realm-ip", "rejected unsafe bearer realm: realm targets private/loopback/link-local IP"],
  ["wasm-url-scheme", "unsupported Wasm module downloading URL scheme: ftp"],
  [
    "image-unauthorized",
    'Failed to pull image "harbor.test/higress/gateway:2.2.4": failed to pull and unpack image: failed to authorize: failed to fetch oauth token: unexpected status: 401 Unauthorized',
  ],
  [
    "image-unauthorized",
    "ImagePullBackOff: pull access denied, repository does not exist or may require authorization: authorization failed: no basic auth credentials",
  ],
  ["image-not-mirrored", "ErrImagePull: harbor.test/higress/gateway:2.2.4: not found"],
  [
    "node-ca-unknown",
    "ErrImagePull: failed to do request: tls: failed to verify certificate: x509: certificate signed by unknown authority",
  ],
  ["image-name-unknown", "ErrImagePull: failed to do request: dial tcp: lookup docker.io: no such host"],
  ["image-platform", "ErrImagePull: no match for platform in manifest: not found"],
  ["image-network", "ErrImagePull: dial tcp 10.0.0.1:443: i/o timeout"],
  [
    "image-name-invalid",
    'InvalidImageName: Failed to apply default image tag "https://h/x": couldn\'t parse image reference',
  ],
  ["image-pull-failed", 'ImagePullBackOff: Back-off pulling image "x"'],
  [
    "gateway-waits-for-controller",
    'FailedMount: MountVolume.SetUp failed for volume "istiod-ca-cert" : configmap "higress-ca-root-cert" not found',
  ],
  ["container-config", 'CreateContainerConfigError: secret "x" not found'],
  ["out-of-memory", "OOMKilled: exit 137"],
  ["nodes-full", "Unschedulable: 0/3 nodes are available: 3 Insufficient memory."],
  ["nodes-unfit", "Unschedulable: 0/3 nodes are available: 3 node(s) had untolerated taint {x: y}."],
  ["volume-unbound", "Unschedulable: 0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims."],
  ["quota-exceeded", 'FailedCreate: pods "x" is forbidden: exceeded quota: q'],
  ["crash-loop", "CrashLoopBackOff: exit 1"],
  ["gateway-unready", "Unhealthy: Readiness probe failed: Get http://10.0.0.1:15021/healthz/ready: connection refused"],
];

/** Of these a gateway names nobody: it dies, or says only which function of some plugin failed. */
const nameless: ReadonlySet<string> = new Set([
  ...["a start section that logs", "a trap in proxy_on_context_create", "a trap in a request"],
]);

describe("the symptom table", () => {
  it.each([...seen, ...unrecorded])("reads %s from %j", (id, line) => {
    expect(read(line)?.symptom.id).toBe(id);
  });

  it.each(recorded)("names $symptom alone from all that Envoy $envoy and its agent print of $name", (one) => {
    const causes = readLogs(one.lines.join("\n"), { symptoms: table.symptoms, language: "en" });
    const told = causes.filter(({ severity }) => severity !== "note").map(({ facts }) => JSON.stringify(facts));
    const named = table.symptoms.filter(({ symptom }) =>
      told.some((each) => each.includes(`"symptom":${JSON.stringify(symptom.en)}`)),
    );
    expect(
      named.map(({ id }) => id),
      one.lines.join("\n"),
    ).toEqual([one.symptom]);
    const plugins = causes.filter(({ code }) => code === "doctor.plugin-cause");
    expect(plugins, one.lines.join("\n")).toHaveLength(nameless.has(one.name) ? 0 : 1);
  });

  it("is held against every way to fail, on both generations", () => {
    const names = recordings.map(({ situations }) => situations.map(({ name }) => name));
    expect(names[0]?.length).toBeGreaterThan(30);
    for (const each of names) expect(each).toEqual(names[0]);
  });

  it("has no symptom that no known line shows", () => {
    const shown = new Set([...[...seen, ...unrecorded].map(([id]) => id), ...recorded.map(({ symptom }) => symptom)]);
    const unshown = table.symptoms.map(({ id }) => id).filter((id) => !shown.has(id));
    expect(unshown).toEqual(["volume-unmounted"]);
    expect(read('FailedMount: MountVolume.SetUp failed for volume "x" : hostPath type check failed')?.symptom.id).toBe(
      "volume-unmounted",
    );
  });

  it("names each symptom once", () => {
    const ids = table.symptoms.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it.each([
    "info\tEnvoy proxy is ready",
    '{"authority":"x","response_code":"404","path":"/v1/not found","upstream_host":"-"}',
    "[2026-11-22T00:00:00.000Z] GET /wasm/2 200",
    "Readiness probe failed: HTTP probe failed with statuscode: 503",
    "",
  ])("sees nothing in %j", (line) => {
    expect(read(line)).toBeUndefined();
  });

  it("reads a line of a megabyte, made against its patterns, in no time", () => {
    const hostile = [
      "has checksum ",
      "fetched Wasm binary from ",
      "fetching image ",
      "configmap ",
      "persistentvolumeclaim ",
    ];
    const worked = processorTime();
    for (const text of hostile) read(text.repeat(100_000));
    expect(worked()).toBeLessThan(1000);
  });

  it.each(["(a+)+b", "a.*b.*c", "(?=x)abcd", "(abcd)\\1", "a{1,5000}bcd", "unclosed(("])(
    "refuses the pattern %s",
    (pattern) => {
      const words = { en: "x", zh: "x" };
      const symptom = { id: "x", rank: 1, match: [pattern], symptom: words, cause: words, remedy: words };
      expect(Symptom.safeParse(symptom).success).toBe(false);
    },
  );

  it("keeps secrets and control characters out of the evidence", () => {
    const line =
      "\u001b[31mGET https://robot:planted@h/v2/: UNAUTHORIZED: Authorization: Basic cGxhbnRlZDpwbGFudGVk\u0007";
    const evidence = read(line)?.line ?? "";
    expect(evidence).not.toMatch(/planted|cGxhbnRl|[\u0000-\u001f]/);
  });
});
