import { describe, expect, it } from "vitest";
import { withoutSecrets } from "../../../../src/stages/survey/secrets.ts";

const base64 = (text: string): string => Buffer.from(text).toString("base64");
const issuedKey = `sk-${"a1B2".repeat(6)}`;

describe("what is taken out of a cluster without its secrets", () => {
  it.each([
    ["a name that says so", { redis: { password: "hunter2" } }, "redis.password"],
    ["a number under such a name", { pin: { token: 1234 } }, "pin.token"],
    ["all below such a name", { credentials: { app: { value: "hunter2" } } }, "credentials.app.value"],
    ["an environment", { env: [{ name: "REDIS_PASSWORD", value: "hunter2" }] }, "env.[0].value"],
    ["a header", { headers: [{ key: "Authorization", value: "hunter2" }] }, "headers.[0].value"],
    ["the word after a flag", { args: ["--password", "hunter2"] }, "args.[1]"],
    ["a login in an address", { url: "https://app:hunter2@bank.example/" }, "url"],
    ["a token in an address", { url: "https://bank.example/?access_token=hunter2" }, "url"],
    ["a key in an address", { url: "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?v=1&key=hunter2" }, "url"],
    ["an address that is one", { url: "https://hooks.slack.com/services/T1/B1/hunter2" }, "url"],
    ["an address of Feishu that is one", { url: "https://open.feishu.cn/open-apis/bot/v2/hook/hunter2" }, "url"],
    ["a private key", { pem: "-----BEGIN EC PRIVATE KEY-----\nhunter2" }, "pem"],
    ["a document in a text", { data: { a: "redis:\n  password: hunter2\n" } }, "data.a"],
    ["a document in a document", { a: JSON.stringify({ b: JSON.stringify({ token: "hunter2" }) }) }, "a"],
    ["a line of settings that is no document", { a: "# of the app\n[redis]\napiKey = hunter2\n" }, "a"],
    ["base64 of a document", { blob: base64('{"password":"hunter2"}') }, "blob"],
    ["a key as those who issue it mark it", { note: issuedKey }, "note"],
    ["a header of the transformer", { headers: [{ key: "X-Api-Key", newValue: "hunter2" }] }, "headers.[0].newValue"],
    ["a pair of name and value", { header: ["X-Api-Key", "hunter2"] }, "header.[1]"],
    ["keys of an account, in higress-https", { cert: "acmeIssuer:\n- email: a@bank.example\n  sk: hunter2\n" }, "cert"],
    ["a bearer", { bearer: "hunter2" }, "bearer"],
    [
      "an annotation that sets a header",
      { "higress.io/request-header-control-update": "x-api-key hunter2" },
      String.raw`higress\.io/request-header-control-update`,
    ],
    ["what stands as a name under such a name", { tokens: { "hunter2-5f3a9c": "alice" } }, "tokens.***"],
    [
      "what a reference does not have",
      { imagePullSecrets: [{ password: "hunter2" }] },
      "imagePullSecrets.[0].password",
    ],
    ["a numbered key", { OPENAI_API_KEY_1: "hunter2" }, "OPENAI_API_KEY_1"],
    ["a name in Chinese", { 登录密码: "hunter2" }, "登录密码"],
    ["what was packed", { note: `H4sI${base64("hunter2-hunter2-hunter2")}` }, "note"],
    ["a key that is a name itself", { consumers: { [issuedKey]: "app" } }, "consumers.***"],
  ])("leaves out %s, and says where it was", (_, value, where) => {
    const { kept, left } = withoutSecrets(value);
    expect(left).toEqual([where]);
    expect(JSON.stringify(kept)).not.toMatch(/hunter2|sk-|1234/);
    expect(JSON.stringify(kept)).not.toContain(base64("hunter2"));
  });

  it("keeps switches, references to Secrets, images, modules and formats of logs", () => {
    const value = {
      auth: { enabled: true, password: "" },
      imagePullSecrets: [{ name: "vendor" }],
      env: [{ name: "TOKEN", valueFrom: { secretKeyRef: { name: "llm", key: "password" } } }],
      metadata: { annotations: { "nginx.ingress.kubernetes.io/auth-type": "basic" } },
      url: "oci://registry.example/plugins/key-auth:2.0.1",
      log: '{"authority":"%REQ(:AUTHORITY)%","method":"%REQ(:METHOD)%"}',
    };
    expect(withoutSecrets(value)).toEqual({ kept: value, left: [] });
  });

  it.each([".", " ", "a", "a.", "sk-", "=", '"', "eyJ.", "://", "?", "&key", "A", "-\n", "a:\n"])(
    "ends at a million of %j",
    (piece) => {
      expect(withoutSecrets({ text: piece.repeat(1_000_000 / piece.length) }).left.length).toBeLessThan(2);
    },
  );

  it("ends at objects in objects without end, and leaves them out", () => {
    let value: object = { a: 1 };
    for (let depth = 0; depth < 5000; depth += 1) value = { a: value };
    expect(withoutSecrets(value).left).toHaveLength(1);
  });

  it("ends at documents in documents without end, and leaves them out", () => {
    let text = "a: 1\n";
    for (let depth = 0; depth < 12; depth += 1) text = JSON.stringify({ a: text });
    expect(withoutSecrets({ text })).toEqual({ kept: {}, left: ["text"] });
  });
});
