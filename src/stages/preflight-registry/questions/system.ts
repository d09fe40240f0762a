import { finding, type Finding } from "../../../model/finding.ts";
import { notAsked, type Asking } from "../context.ts";

export async function readOnlyQuestion(asking: Asking): Promise<readonly Finding[]> {
  const { input, probe } = asking;
  const { readOnly } = await probe.harbor.systemInfo(input.signal);
  if (readOnly === undefined) return [notAsked(asking, { question: "read-only" }, "systeminfo")];
  return readOnly ? [finding("error", "registry.read-only", { host: input.host })] : [];
}

export async function healthQuestion({ input, probe }: Asking): Promise<readonly Finding[]> {
  const components = await probe.harbor.unhealthyComponents(input.signal);
  if (components.length === 0) return [];
  return [finding("error", "registry.unhealthy", { host: input.host, components: components.join(", ") })];
}
