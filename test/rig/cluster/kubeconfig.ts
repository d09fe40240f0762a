import { writeFile } from "node:fs/promises";

export interface Access {
  readonly server: string;
  readonly caFile: string;
  readonly token: string;
  readonly namespace?: string;
}

/** Writes a kubeconfig that only its owner can read; as JSON, which every YAML reader takes. */
export async function writeKubeconfig(path: string, { server, caFile, token, namespace }: Access): Promise<string> {
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "test", cluster: { server, "certificate-authority": caFile } }],
    users: [{ name: "user", user: { token } }],
    contexts: [{ name: "test", context: { cluster: "test", user: "user", ...(namespace && { namespace }) } }],
    "current-context": "test",
  };
  await writeFile(path, JSON.stringify(config), { mode: 0o600 });
  return path;
}
