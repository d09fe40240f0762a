import type { Digest } from "../../model/digest.ts";
import type { TlsFault } from "../../model/failure.ts";
import type { PullPolicy } from "../../model/finding.ts";

/** What a look at the door tells, before anything is sent. */
export interface Connection {
  /** Absent on plain http. */
  readonly tls?: TlsSeen | undefined;
}

export interface TlsSeen {
  /** Node's name for why it is not trusted; `undefined`: it is. */
  readonly distrust: string | undefined;
  readonly fault: TlsFault | undefined;
  readonly issuer: string;
  /** `DNS:harbor.corp, IP Address:10.0.0.1` */
  readonly names: string;
  /** Milliseconds since the epoch. */
  readonly validUntil: number;
}

/** How `GET /v2/` answers a stranger. */
export interface Greeting {
  readonly status: number;
  readonly challenges: readonly { readonly scheme: string; readonly parameters: ReadonlyMap<string, string> }[];
  readonly header: (name: string) => string | undefined;
  /** Where it sends us instead. */
  readonly redirect: string | undefined;
  /** The start of its body, without markup. */
  readonly text: string;
}

/** Who we are to the registry: "none" when it does not ask, or when we have nothing to say. */
export type Credentials =
  { readonly state: "right" | "none" } | { readonly state: "wrong"; readonly as: string; readonly answer: string };

/** How a try at an upload went that nothing was stored by; `status` of the request that was refused. */
export type UploadSeen =
  | { readonly state: "taken" }
  | { readonly state: "too-large"; readonly size: number }
  | { readonly state: "refused"; readonly status: number; readonly answer: string };

export interface ProjectSeen {
  readonly isPublic: boolean;
  readonly isProxy: boolean;
  readonly pullPolicies: readonly PullPolicy[];
}

/** Harbor's own API. "hidden" and `undefined`: this account may not know. */
export interface HarborQuestions {
  /** False: what answers is no Harbor. @throws Failure when nobody answered */
  ping(signal?: AbortSignal): Promise<boolean>;
  systemInfo(signal?: AbortSignal): Promise<{
    readonly version: string | undefined;
    readonly creation: "everyone" | "adminonly" | undefined;
    readonly readOnly: boolean | undefined;
  }>;
  /** May do everything; `undefined`: cannot be asked, as of robots. */
  isAdmin(signal?: AbortSignal): Promise<boolean | undefined>;
  unhealthyComponents(signal?: AbortSignal): Promise<readonly string[]>;
  project(name: string, signal?: AbortSignal): Promise<ProjectSeen | "missing" | "hidden">;
  quota(project: string, signal?: AbortSignal): Promise<{ readonly hard: number; readonly used: number } | undefined>;
  immutableRules(project: string, signal?: AbortSignal): Promise<number | undefined>;
  artifact(
    repository: string,
    pointer: string,
    signal?: AbortSignal,
  ): Promise<{ readonly digest: Digest; readonly immutableTags: readonly string[] } | "hidden" | undefined>;
}

/** All that preflight may ask. None of it changes anything. */
export interface RegistryProbe {
  /** @throws Failure REGISTRY_UNREACHABLE */
  connect(signal?: AbortSignal): Promise<Connection>;
  greet(signal?: AbortSignal): Promise<Greeting>;
  credentials(signal?: AbortSignal): Promise<Credentials>;
  /** What our token holds on a repository; `undefined` when it does not say. */
  grants(repository: string, signal?: AbortSignal): Promise<readonly string[] | undefined>;
  /** The digest behind a tag; "hidden" when a pull policy keeps it. */
  tag(repository: string, tag: string, signal?: AbortSignal): Promise<Digest | "hidden" | undefined>;
  /** Begins an upload of `size` bytes and gives it up. */
  tryUpload(repository: string, size: number, signal?: AbortSignal): Promise<UploadSeen>;
  /** Fingerprint (SHA-256) of the CA that a Harbor offers for download, read without trust. */
  offeredCa(signal?: AbortSignal): Promise<string | undefined>;
  readonly harbor: HarborQuestions;
}

/** The same registry through the eyes of the account that the cluster pulls with. */
export interface PullProbe {
  readonly as: string;
  grants(repository: string, signal?: AbortSignal): Promise<readonly string[] | undefined>;
  credentials(signal?: AbortSignal): Promise<Credentials>;
}
