import type { Finding } from "../../model/finding.ts";

export interface KitFile {
  readonly name: string;
  readonly text: string;
  readonly mode: number;
}

export interface StandaloneKit {
  readonly files: readonly KitFile[];
  readonly findings: readonly Finding[];
}

export interface Mount {
  /** Relative to the kit. */
  readonly from: string;
  readonly to: string;
  readonly readOnly: boolean;
}

/** What run.sh and compose.yaml both say, decided once. */
export interface Container {
  readonly image: string;
  readonly archives: readonly string[];
  readonly engine: "docker" | "podman";
  readonly name: string;
  readonly variables: ReadonlyMap<string, string>;
  /** Host port to container port (docs/facts/higress.md#standalone-all-in-one). */
  readonly ports: readonly (readonly [number, number])[];
  readonly mounts: readonly Mount[];
}
