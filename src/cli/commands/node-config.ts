import { resolve } from "node:path";
import { readCertificates } from "../../edge/registry/roots.ts";
import { nodeConfig, type NodeConfig, type NodeFile, type Runtime } from "../../stages/node-config/node-config.ts";
import { catalogueOf, type Language } from "../../ui/language.ts";
import type { Context } from "../context.ts";
import { text, texts, type Flags } from "../define.ts";
import { ExitCode } from "../exit-code.ts";
import { writeNewFiles } from "../wire/new-files.ts";
import { openSite } from "../wire/site-session.ts";

const runtimes = ["containerd1", "containerd2", "docker", "k3s", "rke2"] as const satisfies readonly Runtime[];

/** A shell script for each runtime on stdout, or with --out the files themselves, in a folder for each runtime. */
export default async function run(flags: Flags, context: Context): Promise<ExitCode> {
  const {
    site: { registry },
  } = await openSite(flags, context);
  const { host, plainHttp, insecure } = registry;
  const ca = registry.ca === undefined ? undefined : await readCertificates(registry.ca);
  const asked = texts(flags, "runtime");
  const chosen = runtimes.filter((runtime) => asked.length === 0 || asked.includes(runtime));
  const configs = chosen.map((runtime) => ({
    runtime,
    config: nodeConfig(runtime, { host, plainHttp, insecure, ca }),
  }));
  const out = text(flags, "out");
  if (out === undefined)
    context.stdout.write(configs.map((each) => script(each.runtime, each.config, context.language)).join("\n"));
  else {
    const files = configs.flatMap(({ runtime, config }) =>
      config.files.map((file) => ({ name: `${runtime}${file.path}`, text: file.text, mode: file.mode })),
    );
    await writeNewFiles(resolve(context.cwd, out), files, { overwrite: true, context });
  }
  return ExitCode.done;
}

/** Runs as it stands, but for what must be merged by hand: that stands in comments. */
function script(runtime: Runtime, { files, commands }: NodeConfig, language: Language): string {
  const { words } = catalogueOf(language);
  const parts = [
    `# ---- ${runtime} ----`,
    ...files.map((file) => (file.merge ? merged(file, language) : written(file))),
  ];
  if (commands.length > 0) parts.push(`# ${words["then-run"]}:`, ...commands);
  return `${parts.join("\n")}\n`;
}

function written({ path, text: content, mode }: NodeFile): string {
  // The word that ends the text must not be a line of it.
  const end = content.split("\n").includes("END") ? "END_OF_FILE" : "END";
  const body = content.endsWith("\n") ? content : `${content}\n`;
  return `install -D -m ${mode.toString(8).padStart(4, "0")} /dev/stdin ${path} <<'${end}'\n${body}${end}`;
}

function merged({ path, text: content }: NodeFile, language: Language): string {
  const lines = content.trimEnd().split("\n");
  const { words } = catalogueOf(language);
  return [`# ${words["merge-into"]} ${path}:`, ...lines.map((line) => `#   ${line}`)].join("\n");
}
