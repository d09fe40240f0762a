// @ts-check
// The least that the job costs: the same bytes over the same wire, by a program that knows nothing of what it moves. It
// is curl, eight at a time, as we have eight.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** @typedef {import("./cases.mjs").Bench} Bench */

const curl = "curl -sS --parallel --parallel-max 8";
/** Stands for `http://host/v2/project` of the registry that is pushed into; each run has its own. */
const base = "@BASE@";

/** Fetches every blob and manifest once, and hashes once what arrived. */
export const pull = `${curl} -K pull.curl && cat pulled/* | openssl dgst -sha256`;

/**
 * The requests of a push: each blob once, a mount where another repository has it, then manifests from the leaves up.
 * Nothing is hashed, and nothing is looked at but the addresses that the registry gives out.
 * @param {string} target a file with `host/project`
 */
export function push(target) {
  const send = (/** @type {string} */ list) => `sed "s,${base},$base," ${list} | ${curl} -K -`;
  const addressed = `awk '{
    while ((getline line < ("headers/" $1)) > 0) if (tolower(line) ~ /^location:/) { sub(/^[^ ]* /, "", line); sub(/\\r$/, "", line); to = line }
    printf "next\\nfail\\nurl = \\"%s&digest=%s\\"\\nupload-file = \\"%s\\"\\nheader = \\"Expect:\\"\\nheader = \\"Content-Type: application/octet-stream\\"\\noutput = \\"/dev/null\\"\\n", to, $2, $3
  }' uploads.list | sed 1d`;
  return [
    "set -e",
    `base="http://$(sed 's,/,/v2/,' ${target})"`,
    "mkdir -p headers",
    send("begin.curl"),
    `${addressed} | ${curl} -K -`,
    ...["mounts.curl", "children.curl", "roots.curl"].map(send),
  ].join("\n");
}

/** Writes what the two scripts read. @param {Bench} bench */
export async function prepare({ directory, source, images }) {
  await mkdir(join(directory, "sent"), { recursive: true });
  /** @type {Record<"pull" | "begin" | "mounts" | "children" | "roots", string[]>} */
  const lists = { pull: [], begin: [], mounts: [], children: [], roots: [] };
  const uploads = [];
  const home = new Map();
  for (const item of images) {
    for (const { descriptor } of item.blobs()) {
      const { digest } = descriptor;
      const from = home.get(digest);
      if (from === item.name) continue;
      if (from !== undefined) {
        const url = `${base}/${item.name}/blobs/uploads/?mount=${digest}&from=bench/${from}`;
        lists.mounts.push(request(url, "/dev/null", 'request = "POST"'));
        continue;
      }
      home.set(digest, item.name);
      lists.pull.push(request(`http://${source}/v2/bench/${item.name}/blobs/${digest}`, pulled(digest)));
      const headers = ['request = "POST"', `dump-header = "headers/${uploads.length}"`];
      lists.begin.push(request(`${base}/${item.name}/blobs/uploads/`, "/dev/null", ...headers));
      uploads.push(`${uploads.length} ${digest} images-layout/blobs/${digest.replace(":", "/")}`);
    }
    const all = item.manifests();
    for (const [at, { descriptor, bytes }] of all.entries()) {
      const { digest, mediaType } = descriptor;
      const root = at === all.length - 1;
      const file = `sent/${digest.replace(":", "-")}`;
      await writeFile(join(directory, file), bytes);
      const from = `http://${source}/v2/bench/${item.name}/manifests/${digest}`;
      lists.pull.push(request(from, pulled(digest), `header = "Accept: ${mediaType}"`));
      const to = `${base}/${item.name}/manifests/${root ? "1" : digest}`;
      const body = [`header = "Content-Type: ${mediaType}"`, `upload-file = "${file}"`];
      lists[root ? "roots" : "children"].push(request(to, "/dev/null", ...body));
    }
  }
  await writeFile(join(directory, "uploads.list"), `${uploads.join("\n")}\n`);
  for (const [name, requests] of Object.entries(lists))
    await writeFile(join(directory, `${name}.curl`), requests.join("next\n"));
}

/** @param {string} digest */
function pulled(digest) {
  return `pulled/${digest.replace(":", "-")}`;
}

/** @param {string} url @param {string} output @param {...string} more */
function request(url, output, ...more) {
  return ["fail", "create-dirs", `url = "${url}"`, `output = "${output}"`, ...more, ""].join("\n");
}
