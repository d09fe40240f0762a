import { resolve } from "node:path";
import { openHelm } from "../../edge/process/helm.ts";
import { printReference } from "../../model/reference.ts";
import { typedObjects } from "../../model/rendered-object.ts";
import { specCrds } from "../../pipeline/export.ts";
import { renderAll } from "../../pipeline/prove.ts";
import { installerRole } from "../../stages/preflight-cluster/installer-role.ts";
import { printTyped } from "../../std/yaml.ts";
import { siteForm, type Form } from "../../ui/form.ts";
import type { Context } from "../context.ts";
import { text, type Flags } from "../define.ts";
import { ExitCode } from "../exit-code.ts";
import { startedAs } from "../started-as.ts";
import { chartCrds, chartValues, withFile } from "../wire/install-ports.ts";
import { writeNewFiles } from "../wire/new-files.ts";
import { openSiteBundle, type SiteSession } from "../wire/site-session.ts";
import { findSiteTool } from "../wire/tools.ts";

const rolesFile = "installer-role.yaml";

/** What administrators are asked for before the evening: as a page to hand in, and the rights as a file to apply. */
export default async function run(flags: Flags, context: Context): Promise<ExitCode> {
  await using session = await openSiteBundle(flags, context);
  const roles = await rolesOf(flags, session, context);
  const page = siteForm(formOf(session, roles), context.language);
  const out = text(flags, "out");
  if (out === undefined) context.stdout.write(page);
  else {
    const files = [
      { name: "form.md", text: page },
      { name: rolesFile, text: roles },
    ];
    await writeNewFiles(resolve(context.cwd, out), files, { overwrite: true, context });
  }
  return ExitCode.done;
}

async function rolesOf(flags: Flags, { site, plan, bundle }: SiteSession, context: Context): Promise<string> {
  const { env, signal } = context;
  await using helm = await openHelm(await findSiteTool("helm", flags, site, context), { env, self: startedAs() });
  const ports = { helm, withFile, chartCrds, chartValues };
  const rendered = await renderAll(plan, bundle, ports, { offline: bundle.document.kubeVersion, signal });
  const crds = [...rendered.flatMap((each) => each.crds), ...(await specCrds(bundle))];
  const objects = installerRole({
    namespace: site.cluster.namespace,
    render: rendered.flatMap(({ chart, manifest }) => typedObjects(manifest, chart.name)),
    crds: crds.flatMap((crd) => typedObjects(crd, "crds")),
  });
  return objects.map((object) => printTyped(object)).join("---\n");
}

function formOf({ site, plan, bundle }: SiteSession, roles: string): Form {
  const { document, id, source } = bundle;
  const { registry, pull, cluster, plugins, inside } = site;
  const sizes = document.blobs.map(({ size }) => size);
  return {
    bundle: `${document.name} ${document.version}`,
    id,
    bytes: source.size,
    platforms: document.platforms,
    kubeVersion: document.kubeVersion,
    host: registry.host,
    project: registry.project,
    pushed: sizes.reduce((sum, size) => sum + size, 0),
    largestBlob: Math.max(0, ...sizes),
    names: plan.mapped.flatMap(({ targets }) => targets.map(printReference)),
    creates: registry.createProject !== undefined,
    robot: pull.robot,
    secret: pull.secretName,
    ca: registry.ca !== undefined,
    plainHttp: registry.plainHttp,
    namespace: cluster.namespace,
    release: cluster.release,
    inside,
    plugins: plugins.enable,
    pluginsFrom: { oci: registry.host, http: plugins.url, none: undefined }[plugins.mode],
    roles,
    rolesFile,
  };
}
