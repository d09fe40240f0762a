import { describe, expect, it } from "vitest";
import { kindOf } from "../../../../src/stages/preflight-registry/questions/door.ts";

const greeting = (parameters: Record<string, string>, headers: Record<string, string> = {}, status = 401) => ({
  status,
  redirect: undefined,
  text: "",
  challenges: [{ scheme: "bearer", parameters: new Map(Object.entries(parameters)) }],
  header: (name: string) => headers[name],
});
const distribution = { "docker-distribution-api-version": "registry/2.0" };

describe("kindOf", () => {
  it.each([
    ["harbor", greeting({ service: "harbor-registry" }, distribution), true],
    ["distribution", greeting({ service: "harbor-registry" }, distribution), false],
    ["distribution", greeting({}, distribution, 200), false],
    ["distribution", greeting({ realm: "test" }, distribution), false],
    ["nexus", greeting({ realm: "Sonatype Nexus Repository Manager" }, distribution), false],
    ["nexus", greeting({}, { server: "Nexus/3.70" }), false],
    ["artifactory", greeting({ realm: "https://a.corp/artifactory/api/docker/x/v2/token" }), false],
    ["artifactory", greeting({}, { "x-artifactory-id": "abc" }), false],
    ["azure", greeting({ service: "x.azurecr.io" }), false],
    ["aliyun", greeting({ realm: "https://dockerauth.cn-hangzhou.aliyuncs.com/auth" }, distribution), false],
    ["gitlab", greeting({ realm: "https://g.corp/jwt/auth", service: "container_registry" }), false],
    ["gitea", greeting({ realm: "https://g.corp/v2/token", service: "container_registry" }), false],
    ["unknown", greeting({}, {}, 404), false],
    ["unknown", greeting({}, distribution, 404), false],
  ])("tells %s", (kind, seen, answersApi) => {
    expect(kindOf(seen, answersApi)).toBe(kind);
  });
});
