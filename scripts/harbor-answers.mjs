// @ts-check
// Asks a Harbor the questions of test/rig/harbor/answers-VERSION.json and prints what it answers otherwise, so that what
// our tests take for Harbor is what a Harbor says. `node scripts/harbor-answers.mjs URL` asks one that has the projects
// and members of the file's `setup`; with --setup it makes them there first. It leaves behind what it made: use a Harbor
// that is for this. The administrator's password is read from HARBOR_ADMIN_PASSWORD, that of the members from
// HARBOR_MEMBER_PASSWORD; NODE_EXTRA_CA_CERTS names a private CA. What of the recorded day is not asked, and why, is in the
// file under `notAsked`.
import { createHash } from "node:crypto";
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

/** Digest of what a question sent, by its name: later ones ask for it. @type {Map<string, string>} */
const sent = new Map();

/** @param {string | Buffer} bytes */
const digestOf = (bytes) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

/** @param {{ as: string, method: string, path: string, headers?: Record<string, string>, body?: string | Buffer }} request */
function send({ as, method, path, headers = {}, body }) {
  const url = new URL(path, origin);
  // As bytes, since fetch would say that a text is text/plain.
  const bytes = body === undefined ? {} : { body: Buffer.from(body) };
  return fetch(url, { method, headers: { ...login(as), ...headers }, redirect: "manual", ...bytes });
}

/** Opens an upload and sends so many bytes of it; where it is closed. @param {string} repository @param {number} [size] */
async function upload(repository, size) {
  const opened = await send({ as: "admin", method: "POST", path: `/v2/${repository}/blobs/uploads/` });
  let at = opened.headers.get("location") ?? "";
  if (size === undefined) return at;
  const body = Buffer.alloc(size, "a");
  const headers = { "content-type": "application/octet-stream" };
  const patched = await send({ as: "admin", method: "PATCH", path: at, headers, body });
  at = patched.headers.get("location") ?? at;
  return `${at}${at.includes("?") ? "&" : "?"}digest=${digestOf(body)}`;
}

/** A blob that a document names is pushed before it. @param {string} repository @param {string} text */
async function pushBlob(repository, text) {
  const at = await upload(repository);
  const path = `${at}${at.includes("?") ? "&" : "?"}digest=${digestOf(text)}`;
  await send({ as: "admin", method: "PUT", path, headers: { "content-type": "application/octet-stream" }, body: text });
}

/** A document with the descriptors of what it names: $blob by its text, $of by the question that sent it. */
async function filled(/** @type {any} */ value, /** @type {string} */ repository) {
  if (Array.isArray(value)) return Promise.all(value.map((each) => filled(each, repository)));
  if (typeof value !== "object" || value === null) return value;
  const { $blob: text, $of: name, $patched: length, ...rest } = value;
  if (text !== undefined) await pushBlob(repository, text);
  if (text !== undefined) return { ...rest, digest: digestOf(text), size: Buffer.byteLength(text) };
  if (length !== undefined) return { ...rest, digest: digestOf(Buffer.alloc(length, "a")), size: length };
  if (name !== undefined) return { ...rest, digest: sent.get(name), size: sizes.get(name) };
  const entries = Object.entries(rest).map(async ([key, each]) => [key, await filled(each, repository)]);
  return Object.fromEntries(await Promise.all(entries));
}
/** @type {Map<string, number>} */
const sizes = new Map();

/** @param {string} text */
const named = (text) => text.replace(/\{digest of ([^}]+)\}/g, (_, name) => sent.get(name) ?? "");

/** @typedef {{ name: string, as: string, method: string, path: string, send?: any, cookie?: string, type?: string, patch?: number }} Question */

/** @param {Question} question */
async function ask({ name, as, method, path, send: document, cookie, type, patch }) {
  const repository = /^\{upload to (.+)\}$/.exec(path)?.[1];
  const to = repository === undefined ? named(path) : await upload(repository, patch);
  const body = await bodyOf(document, /^\/v2\/(.+)\/manifests\//.exec(path)?.[1] ?? "");
  if (body !== undefined) {
    sent.set(name, digestOf(body));
    sizes.set(name, Buffer.byteLength(body));
  }
  const contentType = path.startsWith("/api/") && body !== undefined ? "application/json" : type;
  const headers = {
    ...(cookie === undefined ? {} : { cookie }),
    ...(contentType === undefined ? {} : { "content-type": contentType }),
  };
  return send({ as, method, path: to, headers, ...(body === undefined ? {} : { body }) });
}

/** @param {any} document @param {string} repository */
async function bodyOf(document, repository) {
  if (document === undefined || typeof document === "string") return document;
  if (document.$repeat !== undefined) return Buffer.alloc(document.$repeat, "a");
  return JSON.stringify(repository === "" ? document : await filled(document, repository));
}

/** @param {string} path */
async function read(path) {
  const response = await send({ as: "admin", method: "GET", path: `/api/v2.0${path}` });
  if (!response.ok) throw new Error(`GET ${path}: ${response.status}`);
  return response.json();
}

async function makeAll() {
  const roles = { developer: 2, guest: 3 };
  const made = async (/** @type {string} */ path, /** @type {unknown} */ send) => {
    const { status } = await ask({ as: "admin", method: "POST", path: `/api/v2.0${path}`, send });
    if (status !== 201 && status !== 409) throw new Error(`the setup cannot be made: POST ${path}: ${status}`);
  };
  await made("/registries", { name: "upstream", type: "docker-registry", url: "https://upstream.example" });
  /** @type {readonly { id: number, name: string }[]} */
  const registries = await read("/registries");
  const upstream = registries.find(({ name }) => name === "upstream");
  for (const [name, project] of Object.entries(setup.projects)) {
    const { public: isPublic, metadata, storageLimit, proxy, immutable } = project;
    const limit = storageLimit === undefined ? {} : { storage_limit: storageLimit };
    const kind = proxy === true ? { registry_id: upstream?.id } : {};
    await made("/projects", {
      project_name: name,
      metadata: { public: String(isPublic), ...metadata },
      ...limit,
      ...kind,
    });
    const all = (/** @type {string} */ decoration) => [{ kind: "doublestar", decoration, pattern: "**" }];
    const rule = { action: "immutable", template: "immutable_template", tag_selectors: all("matches") };
    if (immutable === true)
      await made(`/projects/${name}/immutabletagrules`, {
        ...rule,
        scope_selectors: { repository: all("repoMatches") },
      });
  }
  for (const [username, projects] of Object.entries(setup.members)) {
    await made("/users", { username, email: `${username}@answers.example`, realname: username, password: member });
    for (const [project, role] of Object.entries(projects))
      await made(`/projects/${project}/members`, {
        role_id: roles[/** @type {"developer" | "guest"} */ (role)],
        member_user: { username },
      });
  }
}

/** Of what came, the part that was recorded. */
function like(/** @type {any} */ wanted, /** @type {any} */ got) {
  if (Array.isArray(wanted) && Array.isArray(got) && wanted.length === got.length)
    return wanted.map((each, at) => like(each, got[at]));
  if (typeof wanted !== "object" || wanted === null || typeof got !== "object" || got === null) return got;
  return Object.fromEntries(Object.entries(wanted).map(([key, each]) => [key, like(each, got[key])]));
}

/** Who a token is for and what it allows; the order of actions is another one each time. */
function claimsOf(/** @type {string} */ token = "") {
  const claims = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString() || "{}");
  for (const each of claims.access ?? []) each.actions?.sort();
  return like({ iss: "", aud: "", ...(claims.sub === undefined ? {} : { sub: "" }), access: 0 }, claims);
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
  const wanted = want.json === undefined ? undefined : JSON.parse(named(JSON.stringify(want.json)));
  /** @type {readonly (readonly [string, unknown, unknown])[]} */
  const seen = [
    ["status", want.status, response.status],
    ["challenge", want.challenge, challenge],
    ["errors", want.errors, json?.errors?.map?.(({ code, message }) => ({ code, message }))],
    ["codes", want.codes, json?.errors?.map?.(({ code }) => code)],
    ["names", want.names, lists],
    ["body", wanted, like(wanted, json)],
    ["claims", want.claims, want.claims && claimsOf(json?.token)],
    ["absent", want.absent, want.absent?.filter((/** @type {string} */ key) => json?.[key] === undefined)],
    ["quota", want.quota, json?.quota],
    ...Object.entries(want.headers ?? {}).map(
      ([name, value]) => /** @type {const} */ ([name, named(value), response.headers.get(name)]),
    ),
  ];
  return seen
    .filter(([, wanted, got]) => wanted !== undefined && JSON.stringify(wanted) !== JSON.stringify(got))
    .map(([what, wanted, got]) => `  ${what}: ${version} ${JSON.stringify(wanted)}, here ${JSON.stringify(got)}`);
}

/** What is no Harbor, or does not let the administrator in, would answer all the rest otherwise. */
async function whoIsThere() {
  const answer = await read("/systeminfo").catch((/** @type {Error} */ error) => error);
  if (!(answer instanceof Error) && typeof answer.harbor_version === "string") return answer.harbor_version;
  const { code = "", message } = answer instanceof Error ? /** @type {any} */ (answer.cause ?? answer) : answer;
  const why = message ?? "no harbor_version: the password of admin is wrong";
  const advice = /CERT|SIGNED|ISSUER/.test(code) ? "; NODE_EXTRA_CA_CERTS names a file with its CA" : "";
  return stop(`no Harbor that can be asked: ${why}${advice}`);
}

/** Where an account may not ask, all its questions would be answered otherwise, and none of that would be Harbor's. */
async function accountsNotThere() {
  /** @param {string} as */
  const about = async (as) => {
    const response = await send({ as, method: "GET", path: "/api/v2.0/users/current" });
    return response.ok ? response.json() : { status: response.status };
  };
  const { status, sysadmin_flag: isAdmin } = await about("admin");
  const missing = isAdmin === true ? [] : [`admin is no administrator here${status ? ` (${status})` : ""}`];
  for (const name of flags.includes("--setup") ? [] : Object.keys(setup.members)) {
    const { status } = await about(name);
    if (status) missing.push(`${name} cannot log in (${status}): --setup makes it, with HARBOR_MEMBER_PASSWORD`);
  }
  return missing;
}

/** @param {string} lines @returns {never} */
function stop(...lines) {
  for (const line of lines) console.error(`${origin}: ${line}`);
  return process.exit(2);
}

async function askAll() {
  let differing = 0;
  for (const question of questions) {
    const lines = await differences(await ask(question), question.answer);
    if (lines.length === 0) continue;
    differing += 1;
    console.log(`${question.name}, as ${question.as}: ${question.method} ${question.path}`);
    for (const line of lines) console.log(line);
  }
  return differing;
}

const here = await whoIsThere();
console.log(`${origin}: Harbor ${here}; the answers were recorded of ${version}`);
try {
  const missing = await accountsNotThere();
  if (missing.length > 0) stop(...missing);
  if (flags.includes("--setup")) await makeAll();
  const differing = await askAll();
  console.log(`${questions.length} questions, ${differing} answered otherwise than Harbor ${version} did`);
  process.exitCode = differing === 0 ? 0 : 1;
} catch (error) {
  const { cause, message } = /** @type {Error} */ (error);
  stop(`stopped: ${cause instanceof Error ? cause.message : message}`);
}
