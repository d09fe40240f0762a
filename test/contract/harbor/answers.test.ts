import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { admin, aHarbor } from "../../rig/harbor/harbor.ts";
import { dockerRegistryUnavailable } from "../../rig/registry-process.ts";
import { aTlsServer } from "../../rig/tls-servers.ts";

const script = fileURLToPath(new URL("../../../scripts/harbor-answers.mjs", import.meta.url));
const recorded = fileURLToPath(new URL("../../rig/harbor/answers-2.15.2.json", import.meta.url));
/** Where `dev` is a developer, as the file's setup has it. */
const developed = ["p", "imm", "tiny", "vul", "trust", "cached"];
const secret = "Answers-12345-of-a-test";

/** The double is held against what a real Harbor was recorded to say, by the script that asks real ones. */
it.skipIf(dockerRegistryUnavailable() !== undefined)("the Harbor double answers as Harbor 2.15.2 did", async () => {
  await using harbor = await aHarbor({
    projects: {
      ...{ p: {}, pub: { public: true }, q: {}, imm: { immutable: ["*"] }, tiny: { quota: 100_000 } },
      ...{ vul: { preventVulnerable: true }, trust: { contentTrust: true }, cached: { proxy: true } },
    },
    users: [
      admin,
      { name: "dev", secret, projects: Object.fromEntries(developed.map((name) => [name, ["pull", "push"]])) },
      { name: "guest", secret, projects: { p: ["pull"] } },
      { name: "stranger", secret },
    ],
  });
  harbor.set({ version: "2.15.2" });
  const env = { ...process.env, HARBOR_ADMIN_PASSWORD: admin.secret, HARBOR_MEMBER_PASSWORD: secret };
  const asked = promisify(execFile)(process.execPath, [script, harbor.origin], { env });
  const { stdout } = await asked.catch((error: unknown) => error as { readonly stdout: string });
  const { questions } = JSON.parse(await readFile(recorded, "utf8")) as { readonly questions: readonly unknown[] };
  expect(questions.length).toBeGreaterThan(200);
  const [about, ...told] = stdout.trimEnd().split("\n");
  expect(about).toMatch(/: Harbor v?2\.15\.2\b.*; the answers were recorded of 2\.15\.2$/);
  expect(told).toEqual([`${String(questions.length)} questions, 0 answered otherwise than Harbor 2.15.2 did`]);
});

it("says in one line that what answers is no Harbor", async () => {
  await using server = await aTlsServer("plain", (_request, response) => {
    response.end("<html></html>");
  });
  expect(await refusal(`http://${server.host}`)).toEqual([
    2,
    [expect.stringMatching(/no Harbor that can be asked: .*JSON/)],
  ]);
});

it.skipIf(dockerRegistryUnavailable() !== undefined)(
  "names each account that may not ask, and asks nothing",
  async () => {
    await using harbor = await aHarbor({
      users: [
        { name: "admin", secret: admin.secret, projects: { library: ["pull"] } },
        { name: "dev", secret },
      ],
    });
    const [code, lines] = await refusal(harbor.origin);
    expect(code).toBe(2);
    expect(lines.map((line) => line.slice(harbor.origin.length))).toEqual([
      ": admin is no administrator here",
      ": guest cannot log in (401): --setup makes it, with HARBOR_MEMBER_PASSWORD",
      ": stranger cannot log in (401): --setup makes it, with HARBOR_MEMBER_PASSWORD",
    ]);
  },
);

async function refusal(origin: string): Promise<readonly [number, readonly string[]]> {
  const env = { ...process.env, HARBOR_ADMIN_PASSWORD: admin.secret, HARBOR_MEMBER_PASSWORD: secret };
  const asked = promisify(execFile)(process.execPath, [script, origin], { env });
  const { code, stderr } = await asked.then(
    () => ({ code: 0, stderr: "" }),
    (error: unknown) => error as { readonly code: number; readonly stderr: string },
  );
  return [code, stderr.trimEnd().split("\n")];
}
