const units: ReadonlyMap<string, number> = new Map([
  ...["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"].map((unit, at) => [unit, 1024 ** (at + 1)] as const),
  ...["n", "u", "m", "", "k", "M", "G", "T", "P", "E"].map((unit, at) => [unit, 1000 ** (at - 3)] as const),
]);

/** https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/; 0 for what is none. */
export function parseQuantity(value: unknown): number {
  if (typeof value === "number") return value;
  const [, amount, unit = ""] =
    /^(\d{1,20}(?:\.\d{0,20})?(?:[eE][+-]?\d{1,2})?)([A-Za-z]{0,2})$/.exec(typeof value === "string" ? value : "") ??
    [];
  return amount === undefined ? 0 : Number(amount) * (units.get(unit) ?? 0);
}
