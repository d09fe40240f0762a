import { gitopsEngines, type GitopsEngine } from "../../model/choices.ts";
import { Failure } from "../../model/failure.ts";
import type { ManifestExport } from "../../pipeline/export.ts";
import { gitopsFolder, gitopsPhases } from "../../pipeline/gitops.ts";
import type { ProofResult } from "../../pipeline/prove.ts";
import { gitopsReadme } from "../../ui/export.ts";
import type { Language } from "../../ui/language.ts";
import { required, text, type Flags } from "../define.ts";
import type { NewFile } from "./new-files.ts";
import type { SiteSession } from "./site-session.ts";

/** Who will apply what is rendered, where its repository is; `undefined` where people do it. @throws Failure USAGE */
export function gitopsTarget(flags: Flags): GitopsTarget | undefined {
  const engine = gitopsEngines.find((one) => one === text(flags, "for"));
  if (engine === undefined) return undefined;
  if (text(flags, "out") === undefined)
    throw new Failure("USAGE", { what: `--for ${engine}`, wrong: "with", wanted: "--out" });
  const url = engine === "kustomize" ? "" : required(flags, "repo-url");
  const path = (text(flags, "repo-path") ?? ".").replace(/^\.?\/+|\/+$/g, "");
  // Git's own credentials in a URL would be in every manifest, and in the repository.
  if (hasLogin(url))
    throw new Failure("USAGE", { what: "--repo-url user:***@", wrong: "form", wanted: "https://host/repository.git" });
  if (path.split("/").includes(".."))
    throw new Failure("USAGE", { what: `--repo-path ${path}`, wrong: "form", wanted: "apps/higress" });
  return { engine, repository: { url, path: path === "" ? "." : path } };
}

/** A token may be all of the user info of an https URL; with ssh a user is no secret. */
function hasLogin(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password } = new URL(text);
  return password !== "" || (username !== "" && protocol !== "ssh:" && protocol !== "git+ssh:");
}

export interface GitopsTarget {
  readonly engine: GitopsEngine;
  readonly repository: { readonly url: string; readonly path: string };
}

/** Secrets may be in secrets.yaml. */
const mode = 0o600;

export function gitopsExport(
  { engine, repository }: GitopsTarget,
  exported: ManifestExport,
  proof: ProofResult,
  { site, bundle, plan }: Pick<SiteSession, "site" | "bundle" | "plan">,
  language: Language,
): readonly NewFile[] {
  const { namespace, release } = site.cluster;
  const { files, secrets, jobs } = gitopsFolder(exported, { engine, name: release, namespace, repository });
  const { images, strings, findings } = proof;
  const readme = gitopsReadme(
    {
      ...repository,
      engine,
      namespace,
      release,
      secrets,
      jobs,
      bundle: `${bundle.document.name} ${bundle.document.version}`,
      prefix: plan.prefix,
      pullSecret: exported.pullSecret,
      phases: gitopsPhases.filter((phase) => files.some(({ name }) => name.startsWith(`${phase}/`))),
      proof: { images, strings, findings: findings.length },
    },
    language,
  );
  return [...files.map((file) => ({ ...file, mode })), { name: "README.md", text: readme }];
}
