import type { Bundle } from "../stages/bundle/open.ts";
import { pushItems, type PushResult } from "../stages/push/push.ts";
import type { InstallPlan } from "./install-plan.ts";
import type { InstallOptions, InstallPorts } from "./install-ports.ts";

export function push(
  plan: InstallPlan,
  bundle: Bundle,
  ports: Pick<InstallPorts, "target" | "pushOptions">,
  options: Pick<InstallOptions, "concurrency" | "signal" | "report">,
): Promise<PushResult> {
  const { delta } = bundle.document;
  return pushItems(plan.mapped, bundle, ports.target, {
    ...ports.pushOptions,
    concurrency: options.concurrency,
    signal: options.signal,
    report: options.report,
    ...(delta === undefined ? {} : { base: delta.base }),
  });
}
