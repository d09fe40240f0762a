/**
 * One line of each kind, and which symptom each is. Most were printed by Envoy 1.36.4 and the agent of the test gateway,
 * and copied by hand. What has no such origin: `Unable to create Wasm HTTP filter` is how Envoy 1.27 says it in its
 * source, of which no binary is to be had here; the certificates of the wrong name and the wrong use, and the realm with an
 * address, are sentences of Go and of the agent's source. `gateway-rollout` reads what the real ones print at each run.
 */
export const printed: readonly (readonly [string, string])[] = [
  [
    "wasm-corrupt",
    "error envoy wasm source/extensions/common/wasm/wasm.cc:103 Wasm VM failed Failed to load Wasm bytecode",
  ],
  [
    "wasm-plugin-failed",
    "critical envoy wasm source/extensions/common/wasm/wasm.cc:615 Plugin higress-system.plugin failed to load",
  ],
  [
    "wasm-plugin-failed",
    "critical envoy wasm source/extensions/common/wasm/wasm.cc:466 Plugin configured to fail closed failed to load",
  ],
  [
    "wasm-filter-rejected",
    "warning envoy config source/extensions/config_subscription/filesystem/filesystem_subscription_impl.cc:64 Filesystem config update rejected: Unable to create Wasm plugin higress-system.plugin",
  ],
  [
    "wasm-filter-rejected",
    "gRPC config for type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig rejected: Unable to create Wasm HTTP filter higress-system.plugin",
  ],
  [
    "wasm-corrupt",
    "error envoy wasm source/extensions/common/wasm/wasm.cc:103 Wasm VM failed Failed to parse corrupted Wasm module",
  ],
  [
    "wasm-abi",
    "error envoy wasm source/extensions/common/wasm/wasm.cc:103 Wasm VM failed Missing or unknown Proxy-Wasm ABI version",
  ],
  [
    "wasm-config",
    "error envoy wasm source/extensions/common/wasm/wasm.cc:103 Wasm VM failed Failed to configure base Wasm plugin",
  ],
  [
    "wasm-signature",
    "error envoy wasm source/extensions/common/wasm/wasm_vm.cc:38 Bad function signature for: proxy_on_configure, want: i32 i32 -> i32, but the module exports: i32 i32 -> void",
  ],
  [
    "wasm-signature",
    "Failed to load Wasm module due to an import type mismatch: env.proxy_log, want: i32 i32 i32 -> i32, but host exports: i32 -> i32",
  ],
  [
    "wasm-unstartable",
    "error envoy wasm source/extensions/common/wasm/wasm.cc:103 Wasm VM failed Failed to initialize Wasm code",
  ],
  [
    "wasm-import",
    "error envoy wasm source/extensions/common/wasm/wasm_vm.cc:38 Failed to load Wasm module due to a missing import: env.g",
  ],
  [
    "wasm-early-call",
    "error envoy wasm source/extensions/common/wasm/wasm_vm.cc:38 Function: _initialize failed: Uncaught Error: restricted_callback",
  ],
  [
    "wasm-start-trap",
    "error envoy wasm source/extensions/common/wasm/wasm_vm.cc:38 Function: main failed: Uncaught RuntimeError: unreachable",
  ],
  [
    "wasm-unstartable",
    "error envoy wasm source/extensions/common/wasm/wasm_vm.cc:38 Failed to create new Wasm instance",
  ],
  [
    "wasm-export-missing",
    "error envoy wasm source/extensions/common/wasm/wasm.cc:103 Wasm VM failed Wasm module is missing malloc function.",
  ],
  [
    "wasm-configure-trap",
    "error envoy wasm source/extensions/common/wasm/wasm_vm.cc:38 Function: proxy_on_configure failed: Uncaught RangeError: Maximum call stack size exceeded",
  ],
  ["wasm-trap", "wasm://wasm/059b66d2:232: Uncaught RuntimeError: unreachable"],
  [
    "wasm-start-trap",
    "error envoy wasm source/extensions/common/wasm/wasm_vm.cc:38 Function: proxy_on_context_create failed: Uncaught RuntimeError: unreachable",
  ],
  [
    "wasm-request-trap",
    "error envoy wasm source/extensions/common/wasm/wasm_vm.cc:38 Function: proxy_on_request_headers failed: Uncaught RuntimeError: unreachable",
  ],
  [
    "wasm-start-trap",
    "error envoy wasm source/extensions/common/wasm/wasm_vm.cc:38 Function: proxy_on_vm_start failed: Uncaught RuntimeError: unreachable",
  ],
  [
    "wasm-start-refused",
    "error envoy wasm source/extensions/common/wasm/wasm.cc:103 Wasm VM failed Failed to start base Wasm",
  ],
  [
    "registry-realm-no-url",
    'error wasm error in converting the wasm config to local: cannot fetch Wasm module oci://harbor.corp:25443/x:1: could not fetch Wasm OCI image: could not fetch manifest: Get "https://harbor.corp:25443/v2/": rejected unsafe bearer realm: realm scheme "" not allowed. applying deny RBAC filter',
  ],
  [
    "wasm-platform",
    "error wasm cannot fetch Wasm module oci://h/x:1: could not fetch Wasm OCI image: could not fetch image: no child with platform linux/amd64 in index 127.0.0.1:25000/lay/index-arm-only:1.0.0",
  ],
  [
    "registry-ca-unknown",
    'error wasm cannot fetch Wasm module oci://127.0.0.1/x:1: could not fetch Wasm OCI image: could not fetch manifest: Get "https://127.0.0.1:25443/v2/": tls: failed to verify certificate: x509: certificate signed by unknown authority; GET http://127.0.0.1:25443/v2/: unexpected status code 400 Bad Request',
  ],
  [
    "registry-certificate-expired",
    'could not fetch manifest: Get "https://h/v2/": tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time 2026-11-28T18:02:06Z is after 2026-11-27T18:00:00Z',
  ],
  [
    "registry-certificate-expired",
    'Failed to pull image "h/x:1": tls: failed to verify certificate: x509: certificate has expired or is not yet valid',
  ],
  [
    "registry-certificate-name",
    'could not fetch manifest: Get "https://h/v2/": tls: failed to verify certificate: x509: certificate is valid for localhost, not h',
  ],
  [
    "registry-certificate",
    'could not fetch manifest: Get "https://h/v2/": tls: failed to verify certificate: x509: certificate specifies an incompatible key usage',
  ],
  [
    "registry-realm-ip",
    'Get "https://h/v2/": rejected unsafe bearer realm: realm targets private/loopback/link-local IP',
  ],
  [
    "wasm-cache",
    "error wasm cannot fetch Wasm module oci://h/x:1: mkdir /var/lib/istio/data/c42e: no such file or directory",
  ],
  ["wasm-fail-stream", '{"response_code":"500","response_code_details":"wasm_fail_stream","path":"/"}'],
  ["gateway-segfault", "error Envoy exited with error: signal: segmentation fault"],
  ["gateway-killed", "error Envoy exited with error: signal: killed"],
  ["gateway-bootstrap", "critical envoy main source/server/server.cc:1 error initializing configuration"],
  [
    "wasm-filter-rejected",
    "warning envoy config source/extensions/config_subscription/grpc/grpc_subscription_impl.cc:138 gRPC config for type.googleapis.com/envoy.config.listener.v3.Listener rejected: Error adding/updating listener(s) http: Unable to create Wasm plugin higress-system.rust-1.0.0",
  ],
  [
    "wasm-envoy-fetch",
    "warning envoy config ./source/extensions/common/wasm/remote_async_datasource.h:52 Retry limit exceeded for fetching data from remote data source.",
  ],
];
