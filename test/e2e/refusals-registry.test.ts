import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { anImage, anIndex } from "../rig/builders/images.ts";
import { sampleChart } from "../rig/charts/pack.ts";
import { aConnectedSide, type ConnectedSide } from "../rig/connected-side.ts";
import { freePort } from "../rig/free-port.ts";
import { aDockerRegistry, dockerRegistryUnavailable, type DockerRegistry } from "../rig/registry-process.ts";
import { writeSampleSite } from "../rig/sample-site.ts";
import { told, type Told } from "../rig/sentences.ts";
import { aCertificateAuthority } from "../rig/tls.ts";
import { tools } from "../rig/tools.ts";

const unavailable = dockerRegistryUnavailable();
const because = unavailable === undefined ? "" : ` (not run: ${unavailable})`;
const { registry } = sampleChart;
const host = "harbor.airgap.example";

describe.skipIf(unavailable !== undefined)(`a registry that refuses${because}`, () => {
  const shared: { side?: ConnectedSide; locked?: DockerRegistry } = {};
  const side = (): ConnectedSide => shared.side as ConnectedSide;
  const carried = { bundle: "", nobody: "" };

  beforeAll(async () => {
    const authority = await aCertificateAuthority({ names: [host] });
    shared.locked = await aDockerRegistry({ tls: authority, htpasswd: { user: "pusher", password: "right" } });
    shared.side = await aConnectedSide();
    carried.bundle = await side().build("carried.tar");
    carried.nobody = `http://127.0.0.1:${String(await freePort())}`;
    await writeFile(join(side().folder, "password"), "wrong\n", { mode: 0o600 });
    await writeFile(join(side().folder, "ca.pem"), await readFile(authority.caFile));
    return async () => {
      await side()[Symbol.asyncDispose]();
      await shared.locked?.[Symbol.asyncDispose]();
      await authority[Symbol.asyncDispose]();
    };
  });

  /** `build` of the sample's spec with these laid over it. */
  async function built(more: object): Promise<Told> {
    const sample = JSON.parse(await readFile(join(side().folder, "bundle.yaml"), "utf8")) as object;
    await writeFile(join(side().folder, "changed.yaml"), JSON.stringify({ ...sample, ...more }));
    const { helm } = await tools("3.17");
    const answer = await told(["build", "changed.yaml", "--out", "never.tar", "--helm", helm], side().folder);
    expect(await readdir(side().folder)).not.toContain("never.tar");
    return answer;
  }
  const from = (endpoint: object) => ({ registries: { [registry]: { endpoints: [endpoint] } } });

  async function pushed(options: { readonly url: string; readonly ca?: string }): Promise<Told> {
    const login = { username: "pusher", passwordFile: join(side().folder, "password") };
    const site = await writeSampleSite(side().folder, { host, ...options, ...login, more: { plugins: {} } });
    return told(["push", carried.bundle, "--site", site], side().folder);
  }
  const locked = (): string => shared.locked?.url ?? "";

  it("every upload, since it is read-only: where that is switched off is said for it, too", async () => {
    await using target = await aDockerRegistry({ readOnly: true });
    const { exitCode, en, zh } = await pushed({ url: target.url });
    expect(exitCode).toBe(1);
    expect(en).toMatch(/forbids POST .*\[REGISTRY_DENIED\]\n.*in a plain registry storage\.maintenance\.readonly\./);
    expect(zh).toMatch(/禁止 POST .*\n.*普通仓库为 storage\.maintenance\.readonly。/);
  });

  it("nothing, and answers wrong bytes: the side is named, nothing is kept", async () => {
    side().registry.failNext("blob.get", { type: "flip", at: 0 }, 10_000, "/higress/gateway/");
    expect(await built({})).toMatchInlineSnapshot(`
      {
        "en": "✗ source: sha256:<hex> is not what was promised: wanted sha256:<hex>, got sha256:<hex> [CONTENT_MISMATCH]
        next: Nothing of it was kept. Run the command again; if it stays, the content at that side is damaged.",
        "exitCode": 1,
        "zh": "✗ 来源：sha256:<hex> 与声明不符：应为 sha256:<hex>，实为 sha256:<hex> [CONTENT_MISMATCH]
        下一步：没有保留任何内容。请重试；若仍如此，说明那一侧的内容已损坏。",
      }
    `);
  });

  it("a tag that it does not have", async () => {
    expect(await built({ images: [`${registry}/higress/none:9.9`] })).toMatchInlineSnapshot(`
      {
        "en": "✗ source: registry.higress.example (<registry>) does not have it: GET higress/none:9.9: MANIFEST_UNKNOWN manifest unknown [REGISTRY_NOT_FOUND]
        next: Check name and tag where they are written: in the spec, if this is a source. If it is the registry of the site, and Harbor does not have the project yet: make it there, or write \`createProject: { public: false }\` under \`registry:\` of the site file.",
        "exitCode": 1,
        "zh": "✗ 来源：registry.higress.example (<registry>) 上没有：GET higress/none:9.9：MANIFEST_UNKNOWN manifest unknown [REGISTRY_NOT_FOUND]
        下一步：请在写出它的地方检查名称和标签；若是来源仓库，即规格文件。若是站点的仓库，且 Harbor 中还没有该项目：请在 Harbor 中创建，或在站点文件的 \`registry:\` 下写 \`createProject: { public: false }\`。",
      }
    `);
  });

  it("a platform that an image does not have", async () => {
    const lone = `${registry}/acme/lone:1`;
    await side().publish({ [lone]: anIndex({ "linux/amd64": anImage({ architecture: "amd64" }) }) });
    expect(await built({ images: [lone] })).toMatchInlineSnapshot(`
      {
        "en": "✗ source: "registry.higress.example/acme/lone:1" has no linux/arm64; it has: linux/amd64 [PLATFORM_MISSING]
        next: Choose other platforms, or add --allow-missing to carry what there is.",
        "exitCode": 1,
        "zh": "✗ 来源：“registry.higress.example/acme/lone:1”没有 linux/arm64；只有：linux/amd64 [PLATFORM_MISSING]
        下一步：请选择其他平台，或加 --allow-missing 只携带已有的。",
      }
    `);
  });

  it("a connection", async () => {
    // Each tries again for a while; they do so side by side.
    const [build, push] = await Promise.all([built(from({ url: carried.nobody })), pushed({ url: carried.nobody })]);
    expect(build).toMatchInlineSnapshot(`
      {
        "en": "✗ source: registry.higress.example (<registry>) did not answer to GET <name>: nothing listens there (ECONNREFUSED <registry>) [REGISTRY_UNREACHABLE]
        next: Check name, port, firewall and proxy of this address; curl -v shows where it ends.",
        "exitCode": 1,
        "zh": "✗ 来源：registry.higress.example (<registry>) 对 GET <name> 没有响应：该地址没有程序在监听（ECONNREFUSED <registry>） [REGISTRY_UNREACHABLE]
        下一步：请检查该地址的域名、端口、防火墙和代理；用 curl -v 可看到在哪一步中断。",
      }
    `);
    expect(push).toMatchInlineSnapshot(`
      {
        "en": "✗ registry: harbor.airgap.example (<registry>) did not answer to GET /v2/: nothing listens there (ECONNREFUSED <registry>) [REGISTRY_UNREACHABLE]
        next: Check name, port, firewall and proxy of this address; curl -v shows where it ends.",
        "exitCode": 1,
        "zh": "✗ 目标仓库：harbor.airgap.example (<registry>) 对 GET /v2/ 没有响应：该地址没有程序在监听（ECONNREFUSED <registry>） [REGISTRY_UNREACHABLE]
        下一步：请检查该地址的域名、端口、防火墙和代理；用 curl -v 可看到在哪一步中断。",
      }
    `);
  });

  it("a password", async () => {
    const ca = join(side().folder, "ca.pem");
    const credentials = { username: "pusher", passwordFile: join(side().folder, "password") };
    expect(await built(from({ url: locked(), ca, credentials }))).toMatchInlineSnapshot(`
      {
        "en": "✗ source: registry.higress.example (<registry>) does not accept the credentials of pusher: UNAUTHORIZED authentication required [REGISTRY_LOGIN_WRONG]
        next: Check user name and password (docker login, or the file or variable that the site or spec names). Robots are named robot$project+name; one that is disabled or expired is refused like this. They were tried once, so that no account is locked.",
        "exitCode": 1,
        "zh": "✗ 来源：registry.higress.example (<registry>) 不接受 pusher 的凭据：UNAUTHORIZED authentication required [REGISTRY_LOGIN_WRONG]
        下一步：请检查用户名和密码（docker login，或站点文件或规格文件指定的文件或变量）。机器人账号的名称形如 robot$项目+名称；被禁用或过期的也会这样被拒绝。凭据只尝试了一次，以免账号被锁定。",
      }
    `);
    expect(await pushed({ url: locked(), ca })).toMatchInlineSnapshot(`
      {
        "en": "✗ registry: harbor.airgap.example (<registry>) does not accept the credentials of pusher: UNAUTHORIZED authentication required [REGISTRY_LOGIN_WRONG]
        next: Check user name and password (docker login, or the file or variable that the site or spec names). Robots are named robot$project+name; one that is disabled or expired is refused like this. They were tried once, so that no account is locked.",
        "exitCode": 1,
        "zh": "✗ 目标仓库：harbor.airgap.example (<registry>) 不接受 pusher 的凭据：UNAUTHORIZED authentication required [REGISTRY_LOGIN_WRONG]
        下一步：请检查用户名和密码（docker login，或站点文件或规格文件指定的文件或变量）。机器人账号的名称形如 robot$项目+名称；被禁用或过期的也会这样被拒绝。凭据只尝试了一次，以免账号被锁定。",
      }
    `);
  });

  it("to be known: its CA is not ours", async () => {
    expect(await built(from({ url: locked() }))).toMatchInlineSnapshot(`
      {
        "en": "✗ source: No TLS with registry.higress.example (<registry>): its certificate was signed by a CA that is not trusted here (UNABLE_TO_GET_ISSUER_CERT_LOCALLY unable to get local issuer certificate) [REGISTRY_TLS]
        next: Get the CA that signed it (PEM) from its administrator, and write \`ca: FILE\` beside the host or its endpoint; \`insecure: true\` only when you know why.",
        "exitCode": 1,
        "zh": "✗ 来源：无法与 registry.higress.example (<registry>) 建立 TLS：其证书由本机不信任的 CA 签发（UNABLE_TO_GET_ISSUER_CERT_LOCALLY unable to get local issuer certificate） [REGISTRY_TLS]
        下一步：请向其管理员索取签发它的 CA（PEM），在该主机或其端点旁写 \`ca: 文件\`；只有清楚原因时才用 \`insecure: true\`。",
      }
    `);
    expect(await pushed({ url: locked() })).toMatchInlineSnapshot(`
      {
        "en": "✗ registry: No TLS with harbor.airgap.example (<registry>): its certificate was signed by a CA that is not trusted here (UNABLE_TO_GET_ISSUER_CERT_LOCALLY unable to get local issuer certificate) [REGISTRY_TLS]
        next: Get the CA that signed it (PEM) from its administrator, and write \`ca: FILE\` beside the host or its endpoint; \`insecure: true\` only when you know why.",
        "exitCode": 1,
        "zh": "✗ 目标仓库：无法与 harbor.airgap.example (<registry>) 建立 TLS：其证书由本机不信任的 CA 签发（UNABLE_TO_GET_ISSUER_CERT_LOCALLY unable to get local issuer certificate） [REGISTRY_TLS]
        下一步：请向其管理员索取签发它的 CA（PEM），在该主机或其端点旁写 \`ca: 文件\`；只有清楚原因时才用 \`insecure: true\`。",
      }
    `);
  });

  it("an account, where a value is refused by a chart, too: preflight tells both", async () => {
    const login = { username: "pusher", passwordFile: join(side().folder, "password") };
    const more = { plugins: {}, values: { global: { ingressClass: "1: 2: 3" } } };
    const options = { host, url: locked(), ca: join(side().folder, "ca.pem"), ...login, more };
    const site = await writeSampleSite(side().folder, options);
    const { helm } = await tools("3.17");
    const answer = await told(["preflight", carried.bundle, "--site", site, "--helm", helm], side().folder);
    expect(answer.en).toContain("does not accept the credentials of pusher");
    expect(answer.en).toContain("[SITE_VALUE_REFUSED]");
    expect(answer.zh).toContain("不接受 pusher 的凭据");
  });
});
