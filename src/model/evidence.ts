import type { FailureCode, Side } from "./failure.ts";
import type { Finding } from "./finding.ts";
import type { LeftoverRecord, ObjectRecord, PluginRecord, Receipt } from "./receipt.ts";

/** How the evening ended. `running` is what is left on the disk when nothing could be written any more: a kill, a power cut. */
export type Outcome = "running" | "done" | "findings" | "failed" | "interrupted";

export interface PhaseEvidence {
  readonly phase: string;
  /** `started`: it has not ended. */
  readonly state: Receipt["phases"][number]["state"];
  readonly at: string;
  readonly seconds?: number | undefined;
}

export interface BundleEvidence {
  readonly path: string;
  readonly size: number;
  /** sha256 of bundle.json, which names every other byte. */
  readonly id: string;
  /** sha256 of index.json: what `skopeo inspect` of the layout would read first. */
  readonly index: string;
  readonly name: string;
  readonly version: string;
  readonly created: string;
  readonly builtBy: string;
  readonly platforms: readonly string[];
  readonly items: number;
  readonly blobs: number;
  readonly signature: { readonly present: boolean; readonly verifiedWith?: string | undefined };
  readonly delta?: { readonly base: string; readonly absentBlobs: number } | undefined;
}

export interface VerifyEvidence {
  readonly entries: number;
  readonly bytes: number;
  readonly algorithm: string;
  readonly damaged: number;
}

export interface PushEvidence {
  /** Bytes. Of a push that did not end: what had moved until then. */
  readonly uploaded: number;
  readonly mounted: number;
  readonly present: number;
  readonly ended: boolean;
  readonly tags: readonly { readonly reference: string; readonly digest: string }[];
}

export interface ChangeEvidence {
  readonly receipt: number;
  readonly helm?: Receipt["helm"];
  /** Objects beside and over helm's: namespace, pull secret, CA, the overlay. */
  readonly objects: readonly ObjectRecord[];
  readonly crds: readonly ObjectRecord[];
  /** What helm was given to make. */
  readonly release: readonly string[];
  readonly leftovers: readonly Pick<LeftoverRecord, "namespace" | "name" | "did" | "url">[];
  readonly plugins: readonly PluginRecord[];
}

/** A command that takes it back, ready to paste. */
export interface UndoEvidence {
  readonly does: "rollback" | "uninstall" | "uninstall-all";
  readonly command: string;
  /** Of a rollback: what it goes back to. */
  readonly to?: string | undefined;
}

/** What one `install` did, for the file of whoever has to answer for it: `install --report`. Nothing secret is in it. */
export interface InstallEvidence {
  readonly reportVersion: 1;
  readonly outcome: Outcome;
  readonly tool: { readonly name: string; readonly version: string };
  readonly started: string;
  /** When this was written. */
  readonly written: string;
  readonly seconds: number;
  readonly failure?: { readonly code: FailureCode | "BUG"; readonly side: Side; readonly facts: object } | undefined;
  readonly target?:
    | {
        readonly registry: string;
        readonly project: string;
        readonly namespace: string;
        readonly release: string;
        /** uid of kube-system; where that may not be read, the address of the API server. */
        readonly cluster?: string | undefined;
      }
    | undefined;
  readonly bundle?: BundleEvidence | undefined;
  readonly verified?: VerifyEvidence | undefined;
  readonly phases: readonly PhaseEvidence[];
  readonly pushed?: PushEvidence | undefined;
  readonly proved?: { readonly images: number; readonly strings: number; readonly findings: number } | undefined;
  readonly changed?: ChangeEvidence | undefined;
  readonly findings: readonly Finding[];
  readonly undo: readonly UndoEvidence[];
}
