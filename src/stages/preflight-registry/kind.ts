import type { RegistryKind } from "../../model/finding.ts";
import type { Greeting } from "./ports.ts";

interface Traits {
  readonly realm: string;
  readonly service: string;
  readonly header: (name: string) => string;
  readonly status: number;
}

/** In this order: the first that fits. */
const tells: readonly (readonly [RegistryKind, (traits: Traits) => boolean])[] = [
  ["nexus", ({ realm, header }) => /Nexus/i.test(realm + header("server"))],
  ["artifactory", ({ realm, header }) => header("x-jfrog-version") !== "" || realm.includes("/artifactory/")],
  ["artifactory", ({ header }) => header("x-artifactory-id") !== ""],
  ["azure", ({ service }) => service.endsWith(".azurecr.io")],
  ["aliyun", ({ realm }) => realm.includes(".aliyuncs.com")],
  ["gitlab", ({ realm }) => realm.includes("/jwt/auth")],
  ["gitea", ({ service }) => service === "container_registry"],
  [
    "distribution",
    ({ header, status }) =>
      header("docker-distribution-api-version") === "registry/2.0" && (status === 200 || status === 401),
  ],
];

/** Only a Harbor's registry names this service, but Tencent's TCR does, too. */
export function saysHarbor({ challenges }: Pick<Greeting, "challenges">): boolean {
  return challenges.some(({ parameters }) => parameters.get("service") === "harbor-registry");
}

/**
 * Which product answers, by the rules of docs/facts/harbor.md#telling-registries-apart. Tencent's TCR says
 * `service="harbor-registry"` too, so the header alone does not make a Harbor: its API has to answer as well.
 */
export function kindOf({ header, challenges, status }: Greeting, answersHarborApi: boolean): RegistryKind {
  if (answersHarborApi) return "harbor";
  const parameter = (name: string): string =>
    challenges
      .map((each) => each.parameters.get(name) ?? "")
      .join(" ")
      .trim();
  const traits = {
    realm: parameter("realm"),
    service: parameter("service"),
    header: (name: string) => header(name) ?? "",
    status,
  };
  return tells.find(([, fits]) => fits(traits))?.[0] ?? "unknown";
}
