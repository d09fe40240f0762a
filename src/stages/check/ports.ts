import type { Digest } from "../../model/digest.ts";

/** What came for a URL: content (a registry says its digest too), a refusal, or nothing, because it cannot be asked from here. */
export type Answer =
  | { readonly state: "answers"; readonly digest?: Digest | undefined }
  | { readonly state: "refused"; readonly answer: string }
  | { readonly state: "not-asked"; readonly command: string };

/** Asks as a gateway would: with the credential that the cluster pulls with. */
export type AskUrl = (url: string, signal?: AbortSignal) => Promise<Answer>;
