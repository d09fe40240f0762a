import type { Receipt } from "../../src/model/receipt.ts";

export function aReceipt(over: Partial<Receipt> = {}): Receipt {
  return {
    receiptVersion: 1,
    number: 1,
    tool: "higress-airgap 0.1.0",
    state: "done",
    started: "2026-11-22T00:00:00.000Z",
    bundle: { name: "higress", version: "2.2.4", id: "sha256:aa" },
    cluster: { server: "https://10.0.0.1:6443", namespace: "higress-system", release: "higress" },
    values: "sha256:bb",
    phases: [],
    objects: [],
    crds: [],
    leftovers: [],
    plugins: [],
    pushed: [],
    ...over,
  };
}
