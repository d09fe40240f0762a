/**
 * Lines that scripts/record-gateway-lines.mjs does not bring about, each with the reason, and which symptom each is. They
 * were copied by hand from what gateways printed, or from the source that prints them.
 */
export const unrecorded: readonly (readonly [string, string])[] = [
  // Beside its cause in the recordings, and never the first: read alone, as a cut log has it.
  [
    "wasm-plugin-failed",
    "critical envoy wasm source/extensions/common/wasm/wasm.cc:615 Plugin higress-system.plugin failed to load",
  ],
  [
    "wasm-plugin-failed",
    "critical envoy wasm source/extensions/common/wasm/wasm.cc:466 Plugin configured to fail closed failed to load",
  ],
  // The same; `Wasm HTTP filter` is how Envoy 1.27 says it in its source, of which no binary is to be had here.
  [
    "wasm-filter-rejected",
    "warning envoy config source/extensions/config_subscription/filesystem/filesystem_subscription_impl.cc:64 Filesystem config update rejected: Unable to create Wasm plugin higress-system.plugin",
  ],
  [
    "wasm-filter-rejected",
    "gRPC config for type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig rejected: Unable to create Wasm HTTP filter higress-system.plugin",
  ],
  // V8's own line, beside its cause in the recordings.
  ["wasm-trap", "wasm://wasm/059b66d2:232: Uncaught RuntimeError: unreachable"],
  // Of a node's runtime, not of a gateway.
  [
    "registry-certificate-expired",
    'Failed to pull image "h/x:1": tls: failed to verify certificate: x509: certificate has expired or is not yet valid',
  ],
  // A sentence of Go: the rig signs no certificate for another use.
  [
    "registry-certificate",
    'could not fetch manifest: Get "https://h/v2/": tls: failed to verify certificate: x509: certificate specifies an incompatible key usage',
  ],
  // Of the agent's source: the registries of the rig name their realm by a name.
  [
    "registry-realm-ip",
    'Get "https://h/v2/": rejected unsafe bearer realm: realm targets private/loopback/link-local IP',
  ],
  // An agent that was run by hand without its folder; the rig always gives it one.
  [
    "wasm-cache",
    "error wasm cannot fetch Wasm module oci://h/x:1: mkdir /var/lib/istio/data/c42e: no such file or directory",
  ],
  // An access log, which the gateways of the rig do not write.
  ["wasm-fail-stream", '{"response_code":"500","response_code_details":"wasm_fail_stream","path":"/"}'],
  // Of the memory of a node, which a test does not use up; `gateway-rig` kills Envoy and reads the same words.
  ["gateway-killed", "error Envoy exited with error: signal: killed"],
  // A bootstrap that Envoy does not take is made by no plugin.
  ["gateway-bootstrap", "critical envoy main source/server/server.cc:1 error initializing configuration"],
  [
    "wasm-filter-rejected",
    "warning envoy config source/extensions/config_subscription/grpc/grpc_subscription_impl.cc:138 gRPC config for type.googleapis.com/envoy.config.listener.v3.Listener rejected: Error adding/updating listener(s) http: Unable to create Wasm plugin higress-system.rust-1.0.0",
  ],
  // Envoy fetches by itself only where the agent does not rewrite the configuration; run by hand.
  [
    "wasm-envoy-fetch",
    "warning envoy config ./source/extensions/common/wasm/remote_async_datasource.h:52 Retry limit exceeded for fetching data from remote data source.",
  ],
];
