import { existingChoices } from "../../model/choices.ts";

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

/** Options that several commands take. */
export const sharedFlags = {
  bundle,
  string,
  boolean,
  strings,
  required,
  values,
  presets,
  trust,
  existing,
  asked,
  helm,
  deploys,
};
