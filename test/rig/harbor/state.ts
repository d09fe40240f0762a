import { randomUUID } from "node:crypto";

/** Rights of an identity on a project; push implies nothing here, so that a test can take just one away. */
export type Action = "pull" | "push" | "delete";

export interface Identity {
  readonly name: string;
  readonly secret: string;
  readonly admin?: boolean;
  /** By project; `*` is every project. */
  readonly projects?: Readonly<Record<string, readonly Action[]>>;
  /** May only make the calls of docs/facts/harbor.md#oidc-cli-secret. */
  readonly oidcCli?: boolean;
  /** A robot that is over is nobody (docs/facts/harbor.md#robot-accounts). */
  readonly expired?: boolean;
}

export interface ProjectOptions {
  readonly public?: boolean;
  /** Bytes; -1 is no limit. */
  readonly quota?: number;
  /** A proxy cache: cannot be pushed to. */
  readonly proxy?: boolean;
  /** `repository:tag` of tags that a rule guards; `*` is all of them. */
  readonly immutable?: readonly string[];
  readonly preventVulnerable?: boolean;
  readonly contentTrust?: boolean;
}

export interface Project extends Required<ProjectOptions> {
  readonly id: number;
  readonly name: string;
  /** Seconds: a token from before is not taken (docs/facts/harbor.md#token-older-than-its-project). */
  readonly createdAt: number;
  /** Bytes that came in the parts of uploads that are open, by the upload's path. */
  readonly sessions: Map<string, number>;
  /** Blobs that count, by digest. */
  readonly used: Map<string, number>;
  /** Digests that Harbor's own database knows, by repository without the project. */
  readonly artifacts: Map<string, Map<string, Artifact>>;
}

export interface Artifact {
  readonly digest: string;
  readonly mediaType: string;
  readonly configType: string;
  readonly size: number;
  /** Of the manifest alone. */
  readonly bytes: number;
  readonly artifactType: string;
  readonly subject: string | undefined;
  readonly tags: Set<string>;
}

/** What can be wrong with an installation. All of it may be switched while it runs. */
export interface Switches {
  version: string;
  readOnly: boolean;
  creation: "everyone" | "adminonly";
  /** Scheme of upload Locations, where a proxy in front hides TLS. */
  locationScheme: "http" | "https" | undefined;
  relativeLocations: boolean;
  /** Seconds that a token lives. */
  expiresIn: number;
  /** Said as realm instead of our own address. */
  realm: string | undefined;
  /** Seconds that the Date header is off. */
  clockSkew: number;
  /** A proxy in front answers 413 to longer bodies. */
  bodyLimit: number | undefined;
  unhealthy: readonly string[];
  /** PEM that getcert offers. */
  ca: string | undefined;
  /** The quota's answer to a PUT is lost with the connection (docs/facts/harbor.md#quota-answer-is-lost). */
  quotaResets: boolean;
  mounts: boolean;
}

const plain = {
  public: false,
  quota: -1,
  proxy: false,
  immutable: [],
  preventVulnerable: false,
  contentTrust: false,
} as const satisfies Required<ProjectOptions>;

export class HarborState {
  readonly switches: Switches = {
    version: "2.12.0",
    readOnly: false,
    creation: "everyone",
    locationScheme: undefined,
    relativeLocations: false,
    expiresIn: 1800,
    realm: undefined,
    clockSkew: 0,
    bodyLimit: undefined,
    unhealthy: [],
    ca: undefined,
    quotaResets: false,
    mounts: true,
  };
  readonly identities = new Map<string, Identity>();
  readonly projects = new Map<string, Project>();
  readonly robots = new Map<number, { readonly id: number; name: string; level: string; project: string }>();
  readonly csrf = randomUUID();

  addProject(name: string, options: ProjectOptions = {}): Project {
    const project: Project = {
      ...plain,
      ...(this.projects.get(name) ?? this.#new(name)),
      ...options,
    };
    this.projects.set(name, project);
    return project;
  }

  #new(name: string): Pick<Project, "id" | "name" | "createdAt" | "used" | "artifacts" | "sessions"> {
    const createdAt = Math.floor(Date.now() / 1000);
    return { id: this.projects.size + 2, name, createdAt, used: new Map(), artifacts: new Map(), sessions: new Map() };
  }

  actionsOf(identity: Identity | undefined, project: Project): readonly Action[] {
    if (identity?.admin === true) return ["pull", "push", "delete"];
    const held = identity?.projects?.[project.name] ?? identity?.projects?.["*"] ?? [];
    return project.public && !held.includes("pull") ? ["pull", ...held] : held;
  }

  isBefore(major: number, minor: number): boolean {
    const [x = 0, y = 0] = this.switches.version.split(".").map(Number);
    return x < major || (x === major && y < minor);
  }
}

export function usedBytes(project: Project): number {
  return [...project.used.values()].reduce((sum, size) => sum + size, 0);
}

/** Go's `%.1f MiB` in Harbor's quota sentence (docs/facts/harbor.md#policies). */
function printSize(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  let value = bytes;
  for (; value >= 1024 && unit < 4; unit += 1) value /= 1024;
  return unit === 0 ? `${String(bytes)} B` : `${value.toFixed(1)} ${units[unit] ?? ""}`;
}

export function quotaSentence(project: Project, adding: number): string {
  const used = usedBytes(project);
  return (
    `adding ${printSize(adding)} of storage resource, which when updated to current usage of ${printSize(used)} ` +
    `will exceed the configured upper limit of ${printSize(project.quota)}.`
  );
}
