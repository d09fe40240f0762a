import type { FailureCode, FailureFacts, TlsFault } from "./failure.ts";

/** `error` stops what follows, `warning` is shown and recorded, `note` explains a choice that was made. */
export type Severity = "error" | "warning" | "note";

/** What preflight asks a registry; readers get its name in their language. */
export type RegistryQuestion =
  | "all"
  | "tls"
  | "credentials"
  | "push"
  | "pull"
  | "project"
  | "quota"
  | "read-only"
  | "health"
  | "immutable"
  | "upload"
  | "harbor"
  | "head";
/** Which product a registry is, as far as its greeting tells. */
export type RegistryKind =
  "harbor" | "distribution" | "nexus" | "artifactory" | "azure" | "aliyun" | "gitea" | "gitlab" | "unknown";
/** Who may create projects in a Harbor. */
export type ProjectCreation = "everyone" | "adminonly" | "unknown";
/** Settings of a project that answer 412 to pulls, as Harbor's API names them. */
export type PullPolicy = "prevent_vul" | "content_trust";
/** What preflight asks a cluster. */
export type ClusterQuestion =
  | "rights"
  | "nodes"
  | "capacity"
  | "storage classes"
  | "services"
  | "ingress classes"
  | "CRDs"
  | "other meshes"
  | "plugins"
  | "owners"
  | "drift"
  | "release"
  | "releases elsewhere";
/** What a release can want more of than there is: on all nodes together, for one pod, or in the gateway's own limit. */
export type CapacityOf = "cpu" | "memory" | "cpu of a pod" | "memory of a pod" | "memory of the gateway";

/**
 * What check commands report: the code (permanent) and the facts of its sentence. All findings are reported, never
 * the first only. The facts of each code stand in `FindingFacts`; sentences and remedies in `ui/messages/`.
 */
export interface FindingFacts {
  // bundle
  "bundle.blob-damaged": { digest: string; got: string; items: string; volume: string };
  "bundle.blob-missing": { digest: string; items: string };
  "bundle.blob-unlisted": { digest: string };
  "bundle.manifest-unusable": { digest: string; why: string; items: string };
  "bundle.file-damaged": { file: string; wanted: string; got: string };
  "bundle.sm3-sums-unusable": { file: string; why: string };
  "bundle.document-wrong": { document: string; where: string; why: string };
  "bundle.volume-missing": { volume: string; items: string };
  "bundle.volume-size": { volume: string; wanted: number; got: number; items: string };
  "bundle.volume-damaged": { volume: string; from: number; to: number; items: string };
  "bundle.volume-foreign": { volume: string; why: string };
  "bundle.platform-missing": { item: string; platform: string; has: string };
  "bundle.installer-missing": { platform: string; program: string };
  "bundle.tools-missing": { platform: string; programs: string };
  // of a spec
  "tool.unfetched": { program: string; path: string; from: string; why: FailureCode; about: FailureFacts[FailureCode] };
  "outdated.chart": { chart: string; newest: string };
  "outdated.tag": { reference: string; carried: string; found: string };
  "outdated.plugin": { plugin: string; carried: string; console: string; chart: string };
  "outdated.no-lock": { looked: string };
  // references
  "source.unresolved": { reference: string; asked: string; why: FailureCode; about: FailureFacts[FailureCode] };
  "reference.outside": { where: string; path: string; value: string; host: string };
  "reference.unmapped": { where: string; path: string; value: string };
  "reference.unreadable": { where: string; path: string; value: string; why: string };
  "reference.not-carried": { where: string; path: string; value: string };
  "standalone.image-missing": { image: string };
  "standalone.service-missing": { image: string };
  "manifest.unreadable": { file: string; where: string; why: string };
  "reference.digest-lost": { reference: string };
  "reference.excepted": { where: string; path: string; value: string; reason: string };
  "workload.field-misplaced": { where: string; path: string; field: string };
  "relocation.rule-unread": { chart: string; path: string; source: string };
  "relocation.rule-breaks": { chart: string; path: string; source: string };
  "relocation.patched": { chart: string; where: string; path: string; value: string };
  "relocation.hook-unpatched": { where: string; path: string; value: string };
  "relocation.other-chart": { chart: string; map: string };
  "chart.value-unread": { chart: string; path: string; near: string };
  "chart.value-type": { chart: string; path: string; value: string; standing: string };
  "site.release-unknown": { release: string; known: string };
  "chart.kube-version": { chart: string; version: string; references: string };
  "chart.feature": { chart: string; switches: string; references: string };
  // registry
  "registry.not-harbor": { host: string; kind: RegistryKind };
  "registry.harbor": { host: string; version: string };
  "registry.unreachable": { host: string; reason: string };
  "registry.none": { host: string; status: number; answer: string };
  "registry.other-scheme": { host: string };
  "registry.down": { host: string; status: number; answer: string };
  "registry.token-service": { host: string; realm: string; reason: string };
  "registry.token-refused": { host: string; as: string; why: string };
  "registry.head-refused": { host: string; status: number };
  "registry.unanswered": { subject: string; question: RegistryQuestion; reason: string };
  "registry.robot-impossible": { host: string };
  "registry.pull-as-push": { host: string; as: string };
  "registry.tls": { host: string; fault: TlsFault; reason: string };
  "registry.tls-expiring": { host: string; days: number };
  "registry.insecure": { host: string };
  "registry.redirects-to-https": { host: string; to: string };
  "registry.ca-offered": { host: string; fingerprint: string };
  "registry.realm-private-ip": { host: string; realm: string };
  "registry.realm-no-url": { host: string; realm: string };
  "registry.realm-elsewhere": { host: string; realm: string };
  "registry.login-wanted": { host: string };
  "registry.credentials-wrong": { host: string; as: string };
  "registry.no-push": { host: string; project: string; as: string; holds: string };
  "registry.no-pull": { host: string; project: string; as: string; answer: string };
  "registry.not-pushed": { reference: string };
  "registry.project-missing": { host: string; project: string; creation: ProjectCreation };
  "registry.project-not-ours": { host: string; project: string; as: string };
  "registry.project-to-create": { host: string; project: string };
  "registry.project-private": { host: string; project: string };
  "registry.project-proxy": { host: string; project: string };
  "registry.quota-short": { host: string; project: string; free: string; needed: string };
  "registry.read-only": { host: string };
  "registry.takes-no-writes": { subject: string };
  "registry.tag-immutable": { host: string; reference: string; has: string; wanted: string };
  "registry.pull-policy": { host: string; project: string; policy: PullPolicy };
  "registry.clock-skew": { host: string; seconds: number };
  "registry.body-limit": { host: string; size: string };
  "registry.unhealthy": { host: string; components: string };
  "registry.not-asked": { subject: string; question: RegistryQuestion; why: string };
  // cluster
  "cluster.unreachable": { server: string; reason: string };
  "cluster.not-asked": { question: ClusterQuestion; why: string };
  "cluster.version": { version: string };
  "cluster.forbidden": { verb: string; resource: string; namespace: string };
  "cluster.architecture": { nodes: string; architecture: string; carried: string };
  "cluster.node-hint": { nodes: string; what: string };
  "cluster.capacity": { resource: CapacityOf; requested: string; allocatable: string };
  "cluster.storage-class-missing": { claims: string };
  "cluster.load-balancer-missing": { service: string };
  "cluster.crd-foreign": { crd: string; owner: string };
  "cluster.crd-missing": { crd: string };
  "cluster.kind-unknown": { kind: string; objects: string };
  "cluster.ingress-class": { name: string; controller: string };
  "cluster.other-istio": { what: string };
  "cluster.release-pending": { release: string; namespace: string; status: string; revision: number };
  "render.leftover": { path: string };
  "overlay.no-target": { workload: string; container: string };
  "cluster.release-foreign": { release: string; namespace: string; chart: string; revision: number; set: string };
  "cluster.release-replaced": { release: string; namespace: string };
  "cluster.release-changed": {
    release: string;
    namespace: string;
    install: number;
    revision: number;
    changes: string;
  };
  "cluster.release-drift": { release: string; revision: number; changes: string };
  "cluster.object-foreign": { objects: string; owner: string; release: string; namespace: string };
  "cluster.objects-foreign": { namespace: string; chart: string; by: string; count: number; set: string };
  "cluster.objects-managed": { namespace: string; by: string };
  "cluster.values-unknown": { namespace: string; by: string; changes: string };
  "cluster.release-adopted": {
    release: string;
    namespace: string;
    revision: number;
    existing: "keep-values" | "site-values";
  };
  "cluster.release-other-chart": { release: string; namespace: string; chart: string; wanted: string };
  "cluster.release-unreadable": { release: string; namespace: string; why: string };
  "cluster.release-other": { release: string; runs: string; bundle: string };
  "cluster.release-absent": { release: string; namespace: string };
  "cluster.release-elsewhere": { release: string; namespace: string; chart: string };
  "cluster.values-unread": { release: string; chart: string; paths: string };
  "cluster.leftover-plugin": { name: string; url: string };
  "cluster.drift": { object: string; fields: string };
  "cluster.image-unknown": { pod: string; image: string; digest: string };
  "cluster.pod-stuck": { pod: string; reason: string; message: string };
  // plugins
  "plugin.layout": { plugin: string; reference: string; why: string };
  "plugin.repacked": { plugin: string; from: string; to: string };
  "plugin.not-wasm": { plugin: string; why: string };
  "plugin.abi": { plugin: string; has: string };
  "plugin.exports": { plugin: string; missing: string };
  "plugin.import-missing": { plugin: string; imports: string; gateway: string };
  "plugin.types": { plugin: string; functions: string };
  "plugin.gateway-unknown": { plugin: string; gateway: string };
  "plugin.gateway-too-old": { plugin: string; wants: string; gateway: string };
  "plugin.too-large": { plugin: string; size: string; limit: string };
  "plugin.config-refused": { plugin: string; words: string };
  "plugin.start-failed": { plugin: string; words: string };
  "plugin.not-checkable": { plugin: string; why: string };
  "plugin.list-differs": { plugin: string; listed: string; console: string };
  "plugin.console-unknown": { charts: string };
  "plugin.tag-drift": { plugin: string; reference: string; published: string; found: string };
  "plugin.url-unanswered": { plugin: string; url: string; answer: string };
  "plugin.url-not-asked": { plugin: string; url: string; command: string };
  "plugin.not-carried": { plugin: string; reference: string };
  "plugin.alias-dropped": { plugin: string; target: string; by: string };
  "plugin.put-elsewhere": { reference: string; target: string; instead: string; by: string };
  "plugin.unknown-field": { manifest: string; field: string; instead: string };
  "plugin.switched-off": { plugin: string; why: string };
  "plugin.off-outside": { name: string; url: string };
  "plugin.several-on": { plugin: string; objects: string };
  "plugin.unseen": { plugin: string; namespace: string };
  "plugin.pattern": { pattern: string; why: string };
  "plugin.url-loopback": { pattern: string; host: string };
  // doctor
  "doctor.cause": { symptom: string; cause: string; remedy: string; evidence: string };
  "doctor.plugin-cause": { plugins: string; symptom: string; cause: string; remedy: string; evidence: string };
}

/** `where` of a document that is wrong as a whole. */
export const wholeDocument = "document";

export type FindingCode = keyof FindingFacts;

export interface Finding<C extends FindingCode = FindingCode> {
  readonly code: C;
  readonly severity: Severity;
  readonly facts: FindingFacts[C];
}

export function finding<C extends FindingCode>(severity: Severity, code: C, facts: FindingFacts[C]): Finding {
  return { code, severity, facts };
}

export function hasErrors(findings: readonly Finding[]): boolean {
  return findings.some(({ severity }) => severity === "error");
}
