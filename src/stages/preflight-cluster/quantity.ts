const binary: Readonly<Record<string, number>> = { Ki: 1024, Mi: 1024 ** 2, Gi: 1024 ** 3, Ti: 1024 ** 4 };
const decimal: Readonly<Record<string, number>> = { n: 1e-9, u: 1e-6, m: 1e-3, "": 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12 };

/** https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/; 0 for what is none. */
export function parseQuantity(value: unknown): number {
  if (typeof value === "number") return value;
  const [, amount, unit = ""] =
    /^(\d{1,20}(?:\.\d{1,20})?)([A-Za-z]{0,2})$/.exec(typeof value === "string" ? value : "") ?? [];
  return amount === undefined ? 0 : Number(amount) * (binary[unit] ?? decimal[unit] ?? 0);
}
