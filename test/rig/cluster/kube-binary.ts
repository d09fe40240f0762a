import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Where the control plane's binary is or would be. Asked of build.sh, so that builder and tests cannot disagree. */
export function kubeBinary(): string {
  const set = process.env["KUBE_BINARY"];
  if (set !== undefined && set !== "") return set;
  const script = fileURLToPath(new URL("../kube/build.sh", import.meta.url));
  return execFileSync("/bin/sh", [script, "--path"], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim();
}

export const etcdBinary = "/usr/bin/etcd";

/** Why no cluster can be started on this machine, or undefined when one can; for skipping with a reason. */
export function clusterUnavailable(): string | undefined {
  if (!existsSync(etcdBinary)) return `there is no ${etcdBinary}: install Debian's etcd-server`;
  try {
    const kube = kubeBinary();
    return existsSync(kube) ? undefined : `there is no ${kube}: run test/rig/kube/build.sh`;
  } catch {
    // On a PATH with next to nothing on it, for instance.
    return "test/rig/kube/build.sh does not run here";
  }
}
