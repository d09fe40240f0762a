import { canonicalJson } from "../../std/canonical-json.ts";
import type { NodeConfig, NodeConfigOptions } from "./node-config.ts";

/** certs.d is read at every pull; daemon.json at start, or on SIGHUP. */
export function docker({ host, plainHttp, ca, insecure }: NodeConfigOptions): NodeConfig {
  if (plainHttp || insecure) {
    const text = canonicalJson({ "insecure-registries": [host] });
    return {
      files: [{ path: "/etc/docker/daemon.json", text, mode: 0o644, merge: true }],
      commands: ["systemctl reload docker"],
    };
  }
  if (ca === undefined) return { files: [], commands: [] };
  return { files: [{ path: `/etc/docker/certs.d/${host}/ca.crt`, text: ca, mode: 0o644, merge: false }], commands: [] };
}
