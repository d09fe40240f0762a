import { describe, expect, it } from "vitest";
import type { KubeObject } from "../../../../src/model/kubernetes.ts";
import { isRoutingGroup, namespacesOf, routesRead, watchingOf } from "../../../../src/stages/survey/routes.ts";

const own = "higress-system";
const of = (apiVersion: string, kind: string, name: string, spec: object = {}, more: object = {}): KubeObject => {
  const at = name.indexOf("/");
  const namespace = at < 0 ? undefined : name.slice(0, at);
  return { apiVersion, kind, metadata: { name: name.slice(at + 1), namespace, ...more }, spec };
};
const ingress = (name: string, spec: object = {}, annotations: object = {}): KubeObject =>
  of("networking.k8s.io/v1", "Ingress", name, spec, { annotations });
const api = (kind: string, name: string, spec: object = {}): KubeObject =>
  of("gateway.networking.k8s.io/v1", kind, name, spec);
const istio = (kind: string, name: string): KubeObject => of("networking.istio.io/v1alpha3", kind, name);

const usual = { ingressClass: "higress", gatewayClass: "higress", watchNamespace: "" };
const read = (objects: readonly KubeObject[], watching = usual) => {
  const { taken, leftOut } = routesRead(objects, { namespace: own, watching });
  return { taken: taken.map(({ metadata }) => metadata.name), leftOut };
};

it("knows what a controller reads by its flags", () => {
  const controller = (args: readonly string[]): KubeObject => ({
    ...of("apps/v1", "Deployment", `${own}/higress-controller`),
    spec: { template: { spec: { containers: [{ name: "discovery" }, { name: "higress-core", args }] } } },
  });
  expect(watchingOf([controller(["serve"])], {})).toEqual(usual);
  expect(
    watchingOf([controller(["serve", "--ingressClass=", "--watchNamespace=shop"])], {
      global: { ingressClass: "bank" },
    }),
  ).toEqual({
    ...usual,
    ingressClass: "",
    watchNamespace: "shop",
  });
  expect(watchingOf([], { global: { ingressClass: "bank", gatewayClass: 5 } })).toEqual({
    ...usual,
    ingressClass: "bank",
  });
});

describe("Ingresses", () => {
  const all = [
    ingress("shop/named", { ingressClassName: "higress" }),
    ingress("shop/marked", {}, { "kubernetes.io/ingress.class": "higress" }),
    ingress("shop/classless"),
    ingress("shop/other", { ingressClassName: "nginx" }),
    ingress("else/both", { ingressClassName: "higress" }, { "kubernetes.io/ingress.class": "nginx" }),
  ];

  it("are those of the controller's class; of the others it is told how many there are", () => {
    expect(read(all)).toEqual({
      taken: ["named", "marked"],
      leftOut: [
        { reason: "other-class", where: "Ingress (-) × 1: shop/classless" },
        { reason: "other-class", where: "Ingress (nginx) × 2: shop/other, else/both" },
      ],
    });
    expect(read(all, { ...usual, ingressClass: "" }).taken).toHaveLength(5);
    expect(read(all, { ...usual, ingressClass: "nginx" }).taken).toEqual(["classless", "other", "both"]);
    expect(read(all, { ...usual, ingressClass: "nginx", watchNamespace: "else" }).taken).toEqual(["both"]);
  });

  it("are named up to ten of a class", () => {
    const many = Array.from({ length: 3000 }, (_, at) => ingress(`shop/i-${at}`, { ingressClassName: "nginx" }));
    const [told, ...more] = read(many).leftOut;
    expect(more).toEqual([]);
    expect(told?.where).toMatch(/^Ingress \(nginx\) × 3000: shop\/i-0, .*, shop\/i-9, …$/);
  });
});

describe("the Gateway API", () => {
  const mine = api("GatewayClass", "house", { controllerName: "higress.io/gateway-controller-house" });
  const theirs = api("GatewayClass", "istio", { controllerName: "istio.io/gateway-controller" });
  const route = (name: string, parent: object, kind = "HTTPRoute"): KubeObject =>
    api(kind, name, { parentRefs: [parent] });

  it("is taken as far as it hangs from a Gateway of a class of Higress, in any namespace and over several hops", () => {
    const objects = [
      route("shop/cart", { name: "front", namespace: "edge" }),
      api("BackendTLSPolicy", "shop/tls", { targetRefs: [{ kind: "HTTPRoute", name: "cart" }] }),
      api("ReferenceGrant", "stock/let-in", { from: [{ kind: "HTTPRoute", namespace: "shop" }] }),
      api("Gateway", "edge/front", { gatewayClassName: "house" }),
      api("Gateway", "edge/mesh", { gatewayClassName: "istio" }),
      route("edge/mesh-route", { name: "mesh" }),
      route("edge/to-service", { kind: "Service", name: "front" }),
      api("ReferenceGrant", "edge/of-others", { from: [{ kind: "HTTPRoute", namespace: "else" }] }),
      mine,
      theirs,
    ];
    expect(read(objects)).toEqual({
      taken: ["cart", "tls", "let-in", "front", "house"],
      leftOut: [
        { reason: "other-class", where: "Gateway × 1: edge/mesh" },
        { reason: "other-class", where: "HTTPRoute × 2: edge/mesh-route, edge/to-service" },
        { reason: "other-class", where: "ReferenceGrant × 1: edge/of-others" },
        { reason: "other-class", where: "GatewayClass × 1: istio" },
      ],
    });
  });

  it("goes by the controller's flag where no class may be read, and takes of its own namespace all that no other class has", () => {
    const objects = [
      api("Gateway", "edge/front", { gatewayClassName: "higress" }),
      api("Gateway", `${own}/mesh`, { gatewayClassName: "istio" }),
      route(`${own}/mesh-route`, { name: "mesh" }),
      route(`${own}/loose`, { name: "not-yet" }),
    ];
    expect(read(objects).taken).toEqual(["front", "loose"]);
    expect(read(objects, { ...usual, gatewayClass: "istio" }).taken).toEqual(["mesh", "mesh-route", "loose"]);
  });
});

it("takes all of the release's namespace of other kinds, tells of Istio's elsewhere, and leaves what has an owner to it", () => {
  const made = { ownerReferences: [{ kind: "Certificate", name: "a" }] };
  const objects = [
    istio("EnvoyFilter", `${own}/limits`),
    istio("VirtualService", "shop/cart"),
    of("networking.higress.io/v1", "McpBridge", "shop/default"),
    of("networking.higress.io/v1", "McpBridge", `${own}/default`),
    of("networking.k8s.io/v1", "Ingress", `${own}/acme`, { ingressClassName: "higress" }, made),
  ];
  expect(read(objects)).toEqual({
    taken: ["limits", "default"],
    leftOut: [{ reason: "other-namespace", where: "VirtualService × 1: shop/cart" }],
  });
  expect(namespacesOf([...objects, api("GatewayClass", "house")], own)).toEqual(["shop"]);
});

it("asks for the groups that routes are made of, whatever kinds they come to have", () => {
  const groups = ["gateway.networking.k8s.io", "gateway.networking.x-k8s.io", "inference.networking.k8s.io"];
  for (const group of [...groups, "networking.istio.io", "extensions.higress.io"])
    expect(isRoutingGroup(group)).toBe(true);
  for (const group of ["networking.k8s.io", "notistio.io", "cert-manager.io"])
    expect(isRoutingGroup(group)).toBe(false);
});
