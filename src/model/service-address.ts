import type { Service } from "kubernetes-types/core/v1.js";

/** How a service can be reached, as its type says. */
export interface ServiceAddress {
  /** `higress-system/higress-gateway`. */
  readonly service: string;
  readonly type: string;
  /** `192.0.2.10:80`; where a load balancer has given no address yet, or nodes listen, `*:30080`: any node's. */
  readonly at: readonly string[];
}

/** https://kubernetes.io/docs/concepts/services-networking/service/#publishing-services-service-types */
export function serviceAddress(service: Service): ServiceAddress {
  const { name = "", namespace = "" } = service.metadata ?? {};
  const ports = service.spec?.ports ?? [];
  const outside = outsideHosts(service).flatMap((host) => ports.map(({ port }) => `${bracketed(host)}:${port}`));
  const onNodes = ports.flatMap(({ nodePort }) => (nodePort === undefined ? [] : [`*:${nodePort}`]));
  const within = ports.map(({ port }) => `${name}.${namespace}.svc:${port}`);
  const at = [outside, onNodes, within].find((some) => some.length > 0) ?? [];
  return { service: `${namespace}/${name}`, type: service.spec?.type ?? "ClusterIP", at };
}

function outsideHosts({ spec, status }: Service): readonly string[] {
  const given = (status?.loadBalancer?.ingress ?? []).flatMap(({ ip, hostname }) => ip ?? hostname ?? []);
  return [...given, ...(spec?.externalIPs ?? [])];
}

/** Every label that the service looks for is on these pods; one that looks for none has its addresses from elsewhere. */
export function selects({ spec }: Service, labels: Readonly<Record<string, string>>): boolean {
  const wanted = Object.entries(spec?.selector ?? {});
  return wanted.length > 0 && wanted.every(([key, value]) => labels[key] === value);
}

/** IPv6 before a port (RFC 3986, section 3.2.2). */
function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}
