import { installPhases } from "../../model/event.ts";
import { existingChoices } from "../../model/existing.ts";
import type { Command } from "../define.ts";

const bundle = { type: "string", demandOption: true } as const;
const string = { type: "string" } as const;
const boolean = { type: "boolean" } as const;
const strings = { type: "string", array: true } as const;
const required = { type: "string", demandOption: true } as const;
/** Values of Helm over those of the site file. */
const values = { values: strings, set: strings } as const;
const presets = { type: "string", choices: ["all", "ai-gateway", "none"] } as const;
/** Keys by name, and those of the site file. */
const trust = { key: strings, site: string } as const;
const existing = { type: "string", choices: existingChoices } as const;
/** Of commands that destroy. */
const asked = { yes: boolean, "dry-run": boolean } as const;
const helm = { helm: string, kubectl: string, kubeconfig: string, context: string } as const;
/** Of commands that lay a site file over a bundle, and ask the cluster. */
const deploys = { site: string, base: strings, key: strings, ...values, ...helm } as const;

/** Every command on one screen: its name, what it takes, and the file that does it. */
export const commands: readonly Command[] = [
  {
    name: "build",
    positionals: "<spec>",
    flags: {
      spec: bundle,
      out: string,
      lock: string,
      site: string,
      reuse: strings,
      since: string,
      only: string,
      "volume-size": string,
      concurrency: string,
      "allow-missing": boolean,
      overwrite: boolean,
      "in-order": boolean,
      "sign-key": string,
      platform: strings,
      helm: string,
      "dry-run": boolean,
    },
    load: () => import("./build.ts"),
  },
  {
    name: "inspect",
    positionals: "<bundle>",
    flags: { bundle, json: boolean, html: string, sbom: string },
    load: () => import("./inspect.ts"),
  },
  {
    name: "verify",
    positionals: "<bundle>",
    flags: { bundle, quick: boolean, ...trust, report: string, base: strings },
    load: () => import("./verify.ts"),
  },
  {
    name: "push",
    positionals: "<bundle>",
    flags: { bundle, site: string, "dry-run": boolean, concurrency: string, base: strings, key: strings },
    load: () => import("./push.ts"),
  },
  {
    name: "render",
    positionals: "<bundle>",
    flags: { bundle, ...deploys, out: string, diff: boolean, existing },
    load: () => import("./render.ts"),
  },
  {
    name: "install",
    positionals: "<bundle>",
    flags: {
      bundle,
      ...deploys,
      skip: { ...strings, choices: installPhases },
      "force-conflicts": boolean,
      existing,
      yes: boolean,
      concurrency: string,
      report: string,
    },
    load: () => import("./install.ts"),
  },
  {
    name: "serve",
    positionals: "<bundle>",
    flags: {
      bundle,
      host: string,
      port: string,
      "tls-cert": string,
      "tls-key": string,
      "login-user": string,
      "login-password-file": string,
      "plugins-only": boolean,
      base: strings,
      ...trust,
    },
    load: () => import("./serve.ts"),
  },
  {
    name: "preflight",
    positionals: "<bundle>",
    flags: { bundle, ...deploys, existing },
    load: () => import("./preflight.ts"),
  },
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
    name: "rollback",
    positionals: "",
    flags: { site: string, ...asked, ...helm },
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
  {
    name: "repair",
    positionals: "<bundle>",
    flags: { bundle, from: strings, out: string, request: string, overwrite: boolean, key: strings },
    load: () => import("./repair.ts"),
  },
  {
    name: "inventory",
    positionals: "<bundle>",
    flags: { bundle, site: string, out: required, base: strings, key: strings },
    load: () => import("./inventory.ts"),
  },
  {
    name: "diff",
    positionals: "<old> <new>",
    flags: { old: bundle, new: bundle, html: string, json: boolean },
    load: () => import("./diff.ts"),
  },
  {
    name: "plugins list",
    positionals: "<bundle>",
    flags: { bundle, json: boolean },
    load: () => import("./plugins-list.ts"),
  },
  {
    name: "plugins check",
    positionals: "<bundle>",
    flags: { bundle, name: strings, config: string, "release-version": string, json: boolean, ...trust },
    load: () => import("./plugins-check.ts"),
  },
  {
    name: "plugins export",
    positionals: "<bundle>",
    flags: { bundle, directory: required, ...trust },
    load: () => import("./plugins-export.ts"),
  },
  {
    name: "standalone",
    positionals: "<bundle>",
    flags: {
      bundle,
      mode: { type: "string", choices: ["all-in-one", "compose"] },
      out: string,
      platform: strings,
      runtime: { type: "string", choices: ["docker", "podman"] },
      ...trust,
    },
    load: () => import("./standalone.ts"),
  },
  {
    name: "keygen",
    positionals: "",
    flags: { out: required },
    load: () => import("./keygen.ts"),
  },
  {
    name: "node-config",
    positionals: "",
    flags: {
      site: string,
      runtime: { type: "string", array: true, choices: ["containerd1", "containerd2", "docker", "k3s", "rke2"] },
      out: string,
    },
    load: () => import("./node-config.ts"),
  },
  {
    name: "init",
    positionals: "",
    flags: { "release-version": string, platform: strings, preset: presets, out: string, overwrite: boolean },
    load: () => import("./init.ts"),
  },
  {
    name: "site init",
    positionals: "",
    flags: { "registry-host": string, project: string, kubeconfig: string, out: string, overwrite: boolean },
    load: () => import("./site-init.ts"),
  },
  {
    name: "relocation learn",
    positionals: "<chart>",
    flags: {
      chart: required,
      values: strings,
      namespace: string,
      "kube-version": string,
      out: string,
      helm: string,
    },
    load: () => import("./relocation-learn.ts"),
  },
  {
    name: "explain",
    positionals: "[code]",
    flags: { code: string, json: boolean },
    load: () => import("./explain.ts"),
  },
  {
    name: "completion",
    positionals: "[shell]",
    flags: { shell: { type: "string", choices: ["bash", "zsh", "fish"] } },
    load: () => import("./completion.ts"),
  },
];
