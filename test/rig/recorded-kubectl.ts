import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { openKubectl, type Kubectl } from "../../src/edge/process/kubectl.ts";
import { tools, type HelmLine } from "./tools.ts";

/** A real kubectl behind a script that writes every argument and environment variable down first. */
export interface RecordedKubectl extends AsyncDisposable {
  readonly kubectl: Kubectl;
  /** Everything that other users of the host could have read in the process list. */
  seen(): Promise<string>;
}

export async function aRecordedKubectl(kubeconfig: string, line: HelmLine = "4.2"): Promise<RecordedKubectl> {
  const home = await mkdtemp(join(tmpdir(), "higress-airgap-kubectl-"));
  const record = join(home, "seen");
  const script = join(home, "kubectl");
  const { kubectl } = await tools(line);
  await writeFile(record, "");
  await writeFile(
    script,
    `#!/bin/sh\nprintf '%s\\n' "$@" >> '${record}'\nenv >> '${record}'\nexec '${kubectl}' "$@"\n`,
  );
  await chmod(script, 0o755);
  return {
    kubectl: await openKubectl(script, { env: { HOME: home, PATH: "/usr/bin:/bin" }, kubeconfig }),
    seen: () => readFile(record, "utf8"),
    [Symbol.asyncDispose]: () => rm(home, { recursive: true, force: true }),
  };
}
