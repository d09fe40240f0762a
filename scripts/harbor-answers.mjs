// @ts-check
// Asks a Harbor the questions of test/rig/harbor/answers-VERSION.json and prints what it answers otherwise, so that what
// our tests take for Harbor is what a Harbor says. `node scripts/harbor-answers.mjs URL` asks one that has the projects
// and members of the file's `setup`; with --setup it makes them there first. It leaves behind what it made: use a Harbor
// that is for this. The administrator's password is read from HARBOR_ADMIN_PASSWORD, that of the members from
// HARBOR_MEMBER_PASSWORD; NODE_EXTRA_CA_CERTS names a private CA.
import { readFile } from "node:fs/promises";

const recorded = new URL("../test/rig/harbor/answers-2.15.2.json", import.meta.url);
const [url, ...flags] = process.argv.slice(2);
const { HARBOR_ADMIN_PASSWORD: admin, HARBOR_MEMBER_PASSWORD: member } = process.env;
if (url === undefined || admin === undefined || member === undefined) {
  console.error(
    "usage: HARBOR_ADMIN_PASSWORD=… HARBOR_MEMBER_PASSWORD=… node scripts/harbor-answers.mjs URL [--setup]",
  );
  process.exit(2);
}
const { origin } = new URL(url);
const { version, setup, questions } = JSON.parse(await readFile(recorded, "utf8"));

/** @param {string} as */
function login(as) {
  if (as === "anonymous") return {};
  const [name, password] =
    as === "admin" ? ["admin", admin] : as === "wrong" ? ["dev", `${member}-but-wrong`] : [as, member];
  return { authorization: `Basic ${Buffer.from(`${name}:${password}`).toString("base64")}` };
}

/** @param {{ as: string, method: string, path: string, send?: unknown, cookie?: string }} question */
function ask({ as, method, path, send, cookie }) {
  const body = send === undefined || typeof send === "string" ? send : JSON.stringify(send);
  const headers = {
    ...login(as),
    ...(cookie === undefined ? {} : { cookie }),
    ...(body === undefined ? {} : { "content-type": "application/json" }),
  };
  return fetch(`${origin}${path}`, { method, headers, redirect: "manual", ...(body === undefined ? {} : { body }) });
}

async function makeAll() {
  const roles = { developer: 2, guest: 3 };
  const made = async (/** @type {string} */ path, /** @type {unknown} */ send) => {
    const { status } = await ask({ as: "admin", method: "POST", path: `/api/v2.0${path}`, send });
    if (status !== 201 && status !== 409) throw new Error(`POST ${path}: ${status}`);
  };
  for (const [name, { public: isPublic }] of Object.entries(setup.projects))
    await made("/projects", { project_name: name, metadata: { public: String(isPublic) } });
  for (const [username, projects] of Object.entries(setup.members)) {
    await made("/users", { username, email: `${username}@answers.example`, realname: username, password: member });
    for (const [project, role] of Object.entries(projects))
      await made(`/projects/${project}/members`, {
        role_id: roles[/** @type {"developer" | "guest"} */ (role)],
        member_user: { username },
      });
  }
}

/** What of the recorded answer this one does not say; what was not recorded may be anything. */
async function differences(/** @type {Response} */ response, /** @type {Record<string, any>} */ want) {
  const text = await response.text();
  const json = (() => {
    try {
      return JSON.parse(text);
    } catch {
      return undefined;
    }
  })();
  const challenge = response.headers.get("www-authenticate")?.replaceAll(origin, "ORIGIN");
  const lists = Array.isArray(json) ? json.map(({ name }) => name).sort() : undefined;
  /** @type {readonly (readonly [string, unknown, unknown])[]} */
  const seen = [
    ["status", want.status, response.status],
    ["challenge", want.challenge, challenge],
    ["errors", want.errors, json?.errors?.map?.(({ code, message }) => ({ code, message }))],
    ["names", want.names, lists],
    ["quota", want.quota, json?.quota],
    ...Object.entries(want.headers ?? {}).map(
      ([name, value]) => /** @type {const} */ ([name, value, response.headers.get(name)]),
    ),
  ];
  return seen
    .filter(([, wanted, got]) => wanted !== undefined && JSON.stringify(wanted) !== JSON.stringify(got))
    .map(([what, wanted, got]) => `  ${what}: ${version} ${JSON.stringify(wanted)}, here ${JSON.stringify(got)}`);
}

if (flags.includes("--setup")) await makeAll();
let differing = 0;
for (const question of questions) {
  const lines = await differences(await ask(question), question.answer);
  if (lines.length === 0) continue;
  differing += 1;
  console.log(`${question.name}, as ${question.as}: ${question.method} ${question.path}`);
  for (const line of lines) console.log(line);
}
console.log(`${questions.length} questions, ${differing} answered otherwise than Harbor ${version} did`);
process.exitCode = differing === 0 ? 0 : 1;
