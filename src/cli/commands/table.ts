import { installPhases } from "../../model/event.ts";
import { signatureAlgorithms } from "../../model/signature.ts";
import type { Command } from "../define.ts";
import { clusterCommands } from "./cluster-commands.ts";
import { sharedFlags } from "./shared-flags.ts";

const { bundle, string, boolean, strings, required, presets, trust, existing, deploys, helm } = sharedFlags;

/** Every command: its name, what it takes, and the file that does it. */
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
  ...clusterCommands,
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
    positionals: "[bundle]",
    flags: { bundle: string, site: string, json: boolean, base: strings, key: strings, ...helm },
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
    flags: { out: required, algorithm: { type: "string", choices: signatureAlgorithms } },
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
