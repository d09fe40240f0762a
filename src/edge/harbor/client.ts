import * as z from "zod";
import { isDigest, type Digest } from "../../model/digest.ts";
import type { EndpointAccess } from "../registry/access.ts";
import { parseChallenges, type Challenge } from "../registry/auth/challenge.ts";
import { Endpoint } from "../registry/endpoint.ts";
import { failureOfResponse } from "../registry/errors.ts";
import { UndiciTransport } from "../registry/undici-transport.ts";
import { HarborHttp } from "./http.ts";
import {
  createProject,
  findProject,
  immutableRules,
  quotaOf,
  type NewProject,
  type ProjectAnswer,
  type Quota,
  ensurePullRobot,
  type Robot,
} from "./projects.ts";
import { caCertificate, isAdmin, ping, systemInfo, unhealthyComponents, type SystemInfo } from "./system.ts";

export interface HarborOptions {
  /** The name that references use. */
  readonly host: string;
  /** Where proxies are named. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** @default 30 */
  readonly stallSeconds?: number | undefined;
  readonly userAgent?: string | undefined;
}

/** Harbor's own API, v2.0: what the distribution API cannot say. Dispose of it to close its connections. */
export class Harbor implements AsyncDisposable {
  readonly #http: HarborHttp;
  readonly #registry: Endpoint;

  constructor(access: EndpointAccess, options: HarborOptions) {
    const { ca, insecure } = access;
    const client = access.client && { ...access.client, origin: access.origin };
    const { env, stallSeconds = 30, host, userAgent = "higress-airgap" } = options;
    const transport = new UndiciTransport({ ca, insecure, client, env, connections: 8, stallSeconds });
    this.#registry = new Endpoint({ access, transport, host, side: "target", userAgent });
    this.#http = new HarborHttp({ access, registry: this.#registry, transport, host, userAgent });
  }

  ping(signal?: AbortSignal): Promise<boolean> {
    return ping(this.#http, signal);
  }

  /**
   * A registry that does not name `harbor-registry` as the service that its tokens are for is no Harbor, whatever answers
   * at the paths of its API. One that does is asked there, too; an API that is away has not said that it is none.
   * @throws REGISTRY_BUSY, REGISTRY_UNREACHABLE, … when nobody answered
   */
  async isHarbor(signal?: AbortSignal): Promise<boolean> {
    const action = "GET /v2/";
    const response = await this.#registry.probe("/v2/", action, signal);
    if (response.status >= 500 || response.status === 429) {
      throw await failureOfResponse(response, this.#registry.context(action));
    }
    await response.body.drain();
    return saysHarbor(parseChallenges(response.header("www-authenticate"))) && (await this.ping(signal));
  }

  systemInfo(signal?: AbortSignal): Promise<SystemInfo> {
    return systemInfo(this.#http, signal);
  }

  isAdmin(signal?: AbortSignal): Promise<boolean | undefined> {
    return isAdmin(this.#http, signal);
  }

  unhealthyComponents(signal?: AbortSignal): Promise<readonly string[]> {
    return unhealthyComponents(this.#http, signal);
  }

  caCertificate(signal?: AbortSignal): Promise<string | undefined> {
    return caCertificate(this.#http, signal);
  }

  project(name: string, signal?: AbortSignal): Promise<ProjectAnswer> {
    return findProject(this.#http, name, signal);
  }

  createProject(project: NewProject, signal?: AbortSignal): Promise<boolean> {
    return createProject(this.#http, project, signal);
  }

  quota(project: string, signal?: AbortSignal): Promise<Quota | undefined> {
    return quotaOf(this.#http, project, signal);
  }

  immutableRules(project: string, signal?: AbortSignal): Promise<number | undefined> {
    return immutableRules(this.#http, project, signal);
  }

  artifact(repository: string, pointer: string, signal?: AbortSignal): Promise<HarborArtifact | "hidden" | undefined> {
    return findArtifact(this.#http, repository, pointer, signal);
  }

  /** The digest behind a tag, whatever the pull policies say; "hidden" when this account may not ask. */
  async artifactDigest(repository: string, tag: string, signal?: AbortSignal): Promise<Digest | "hidden" | undefined> {
    const artifact = await this.artifact(repository, tag, signal);
    return artifact === "hidden" ? artifact : artifact?.digest;
  }

  /** @throws Failure REGISTRY_NOT_FOUND when there is no such project */
  ensurePullRobot(
    wanted: { readonly project: string; readonly projectId: number; readonly name: string },
    signal?: AbortSignal,
  ): Promise<Robot> {
    return ensurePullRobot(this.#http, wanted, signal);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#http.close();
  }
}

/** Tencent's TCR says so as well: its API is what tells it from a Harbor. */
function saysHarbor(challenges: readonly Challenge[]): boolean {
  return challenges.some(({ parameters }) => parameters.get("service") === "harbor-registry");
}

const ArtifactDocument = z.object({
  digest: z.string(),
  type: z.string().max(100).nullish(),
  size: z.number().nullish(),
  tags: z.array(z.object({ name: z.string(), immutable: z.boolean().nullish() })).nullish(),
});

interface HarborArtifact {
  readonly digest: Digest;
  /** `IMAGE`, `CHART`, `WASM`, `UNKNOWN`: what the portal shows. */
  readonly type: string;
  readonly size: number;
  /** Tags that may not be moved. */
  readonly immutableTags: readonly string[];
}

/**
 * The artifact behind a tag or digest. No pull policy blocks this call, so it is how a push is verified where HEAD is
 * 412 (docs/facts/harbor.md#verifying-a-push). `undefined`: there is none, or "hidden": we may not see it.
 */
async function findArtifact(
  http: HarborHttp,
  repository: string,
  pointer: string,
  signal?: AbortSignal,
): Promise<HarborArtifact | "hidden" | undefined> {
  const call = { method: "GET", path: artifactPath(repository, pointer), signal } as const;
  const answer = await http.ask(call, [200, 401, 403, 404]);
  if (answer.status !== 200) return answer.status === 404 ? undefined : "hidden";
  const { digest, type, size, tags } = await http.parse(call, ArtifactDocument, answer);
  if (!isDigest(digest)) return "hidden";
  const immutable = (tags ?? []).filter((tag) => tag.immutable === true).map(({ name }) => name);
  return { digest, type: type ?? "UNKNOWN", size: size ?? 0, immutableTags: immutable };
}

/**
 * The repository's name without its project, encoded twice: nginx and Harbor's router decode once each
 * (docs/facts/harbor.md#repository-names).
 */
function artifactPath(repository: string, pointer: string): string {
  const slash = repository.indexOf("/");
  const project = encodeURIComponent(repository.slice(0, slash));
  const name = encodeURIComponent(encodeURIComponent(repository.slice(slash + 1)));
  return `/api/v2.0/projects/${project}/repositories/${name}/artifacts/${encodeURIComponent(pointer)}?with_tag=true&with_immutable_status=true`;
}
