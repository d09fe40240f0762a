import { describe, expect, it } from "vitest";
import { caOverlay, pullSecret, serviceAccountPatch } from "../../../../src/stages/apply/objects.ts";

const secret = { name: "pull", registry: "harbor.corp:8443", username: "robot$pull", password: "pa:ss" };

describe("objects", () => {
  it("a pull secret holds what kubelet and gateway read, under the registry's host and port", () => {
    const made = pullSecret("ns", secret) as unknown as { type: string; data: Record<string, string> };
    expect(made.type).toBe("kubernetes.io/dockerconfigjson");
    const config = JSON.parse(Buffer.from(made.data[".dockerconfigjson"] ?? "", "base64").toString()) as {
      auths: Record<string, { auth: string }>;
    };
    const auth = Buffer.from(config.auths["harbor.corp:8443"]!.auth, "base64").toString();
    expect(auth).toBe("robot$pull:pa:ss");
  });

  it("the CA overlay adds to the system's roots, and names another hash for another CA", () => {
    const target = { kind: "DaemonSet", name: "higress-gateway", container: "higress-gateway" } as const;
    const overlay = caOverlay("ns", target, "PEM");
    expect(overlay.kind).toBe("DaemonSet");
    expect(JSON.stringify(overlay)).toContain('"SSL_CERT_DIR","value":"/etc/ssl/certs:/etc/higress-airgap/ca"');
    expect(JSON.stringify(overlay)).not.toContain("SSL_CERT_FILE");
    expect(caOverlay("ns", target, "PEM")).toEqual(overlay);
    expect(caOverlay("ns", target, "OTHER")).not.toEqual(overlay);
  });

  it("a service account patch says nothing but the secret", () => {
    const { apiVersion, kind, metadata, ...rest } = serviceAccountPatch("ns", "default", "pull");
    expect([apiVersion, kind, metadata]).toEqual(["v1", "ServiceAccount", { name: "default", namespace: "ns" }]);
    expect(rest).toEqual({ imagePullSecrets: [{ name: "pull" }] });
  });
});
