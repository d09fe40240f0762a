import { isReference, parseReference } from "../../model/reference.ts";

/** The host that a reference or URL is fetched from; `undefined` for a file, which is fetched from nowhere. */
export function hostOf(value: string): string | undefined {
  const [, scheme, rest = ""] = /^([a-z][a-z0-9+.-]{0,20}):\/\/(.{0,2000})$/i.exec(value) ?? [undefined, "oci", value];
  if (scheme === "file") return undefined;
  if (scheme === "oci" && isReference(rest)) return parseReference(rest).registry;
  return rest.split("/")[0];
}

/** Names that never leave the cluster or the pod. */
export function isLocal(host: string): boolean {
  const name = host.replace(/:\d{1,5}$/, "");
  return (
    name === "localhost" || name === "127.0.0.1" || /\.svc(\.[a-z0-9.-]{1,200})?$/.test(name) || !/[.:]/.test(name)
  );
}
