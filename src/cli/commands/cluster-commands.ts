import type { Command } from "../define.ts";
import { sharedFlags } from "./shared-flags.ts";

const { bundle, string, boolean, strings, required, asked, helm } = sharedFlags;

/** What looks at a release that stands, and what takes it back. */
export const clusterCommands: readonly Command[] = [
  {
    name: "check",
    positionals: "<bundle>",
    flags: { bundle, site: string, base: strings, key: strings, ...helm },
    load: () => import("./check.ts"),
  },
  {
    name: "doctor",
    positionals: "",
    flags: { site: string, logs: string, collect: string, ...helm },
    load: () => import("./doctor.ts"),
  },
  {
    name: "status",
    positionals: "[bundle]",
    flags: { bundle: string, site: string, json: boolean, base: strings, key: strings, ...helm },
    load: () => import("./status.ts"),
  },
  {
    name: "history",
    positionals: "",
    flags: { site: string, json: boolean, ...helm },
    load: () => import("./history.ts"),
  },
  {
    name: "inspect-cluster",
    positionals: "",
    flags: {
      out: required,
      namespace: string,
      release: string,
      chart: string,
      overwrite: boolean,
      "dry-run": boolean,
      json: boolean,
      ...helm,
    },
    load: () => import("./inspect-cluster.ts"),
  },
  {
    name: "rollback",
    positionals: "",
    flags: { site: string, to: string, "force-conflicts": boolean, ...asked, ...helm },
    load: () => import("./rollback.ts"),
  },
  {
    name: "uninstall",
    positionals: "",
    flags: { site: string, crds: boolean, "namespace-too": boolean, ...asked, ...helm },
    load: () => import("./uninstall.ts"),
  },
  {
    name: "plugins enable",
    positionals: "<bundle>",
    flags: { bundle, site: string, name: strings, base: strings, key: strings, ...helm },
    load: () => import("./plugins-enable.ts"),
  },
  {
    name: "plugins disable",
    positionals: "",
    flags: { site: string, name: strings, ...helm },
    load: () => import("./plugins-disable.ts"),
  },
];

/** Before there is one: what administrators must grant. */
export const formCommand: Command = {
  name: "site form",
  positionals: "<bundle>",
  flags: {
    bundle,
    site: string,
    values: strings,
    set: strings,
    out: string,
    base: strings,
    key: strings,
    helm: string,
  },
  load: () => import("./site-form.ts"),
};
