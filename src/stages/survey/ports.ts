import type { HelmPort } from "../../model/helm.ts";

/** Helm as far as it is asked what stands in a cluster. */
export type SurveyPort = Pick<HelmPort, "metadata" | "values" | "list" | "getManifest">;
