import * as z from "zod";
import { isFailure } from "../../model/failure.ts";
import type { HarborHttp } from "./http.ts";

/**
 * `GET /systeminfo`: what a stranger sees has neither version (from 2.13 on) nor settings
 * (docs/facts/harbor.md#systeminfo).
 */
const SystemInfo = z.object({
  harbor_version: z.string().max(100).nullish(),
  auth_mode: z.string().max(40).nullish(),
  external_url: z.string().max(300).nullish(),
  project_creation_restriction: z.string().max(40).nullish(),
  read_only: z.boolean().nullish(),
});
export interface SystemInfo {
  /** `2.15.2`, without the commit. */
  readonly version: string | undefined;
  readonly authMode: string | undefined;
  readonly creation: "everyone" | "adminonly" | undefined;
  readonly readOnly: boolean | undefined;
  /** Only those who are known see the settings: without them, Harbor did not take the credentials. */
  readonly known: boolean;
}

const CurrentUser = z.object({ sysadmin_flag: z.boolean().nullish(), admin_role_in_auth: z.boolean().nullish() });

const Health = z.object({
  components: z.array(z.object({ name: z.string(), status: z.string() })).max(50),
});

/**
 * `Pong` as text since 2.2, as a JSON string before. False for whatever else answers here.
 * @throws REGISTRY_BUSY, REGISTRY_UNREACHABLE, … when nobody answered
 */
export async function ping(http: HarborHttp, signal?: AbortSignal): Promise<boolean> {
  const call = { method: "GET", path: "/api/v2.0/ping", anonymous: true, signal } as const;
  try {
    const { text } = await http.ask(call, [200]);
    return /^"?Pong"?$/.test(text.trim());
  } catch (error) {
    if (
      isFailure(
        error,
        "REGISTRY_NOT_FOUND",
        "REGISTRY_REFUSED",
        "REGISTRY_UNAUTHORIZED",
        "REGISTRY_DENIED",
        "REGISTRY_PROTOCOL",
      )
    )
      return false;
    throw error;
  }
}

export async function systemInfo(http: HarborHttp, signal?: AbortSignal): Promise<SystemInfo> {
  const info = await http.json({ method: "GET", path: "/api/v2.0/systeminfo", signal }, SystemInfo);
  const creation = info.project_creation_restriction;
  return {
    version: /^v?(\d+\.\d+(?:\.\d+)?)/.exec(info.harbor_version ?? "")?.[1],
    authMode: info.auth_mode ?? undefined,
    creation: creation === "everyone" || creation === "adminonly" ? creation : undefined,
    readOnly: info.read_only ?? undefined,
    known: creation !== undefined && creation !== null,
  };
}

/** Of people: robots have no user (412), and a CLI secret may not ask (401). */
export async function isAdmin(http: HarborHttp, signal?: AbortSignal): Promise<boolean | undefined> {
  const call = { method: "GET", path: "/api/v2.0/users/current", signal } as const;
  const answer = await http.ask(call, [200, 401, 403, 404, 412]);
  if (answer.status !== 200) return undefined;
  const { sysadmin_flag, admin_role_in_auth } = await http.parse(call, CurrentUser, answer);
  return sysadmin_flag === true || admin_role_in_auth === true;
}

/**
 * Components a push needs that are not healthy. The call is always 200, so its body is read
 * (docs/facts/harbor.md#health-is-always-200).
 */
export async function unhealthyComponents(http: HarborHttp, signal?: AbortSignal): Promise<readonly string[]> {
  const needed: ReadonlySet<string> = new Set(["registry", "database", "redis", "core"]);
  const { components } = await http.json({ method: "GET", path: "/api/v2.0/health", anonymous: true, signal }, Health);
  return components.filter(({ name, status }) => needed.has(name) && status !== "healthy").map(({ name }) => name);
}

/** The CA that Harbor offers for download, PEM; `undefined` when the administrator put none there. */
export async function caCertificate(http: HarborHttp, signal?: AbortSignal): Promise<string | undefined> {
  const call = { method: "GET", path: "/api/v2.0/systeminfo/getcert", anonymous: true, signal } as const;
  const { status, text } = await http.ask(call, [200, 401, 403, 404]);
  return status === 200 && text.includes("-----BEGIN CERTIFICATE-----") ? text : undefined;
}
