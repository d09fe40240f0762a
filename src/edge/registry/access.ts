import type { Side } from "../../model/failure.ts";
import type { Account } from "./auth/account.ts";

/** PEM. Shown to the origin that it was named for, and to nobody whom that origin redirects to. */
export interface ClientKeyPair {
  readonly cert: string;
  readonly key: string;
}

/** One way to reach a registry. */
export interface EndpointAccess {
  /** `https://host:port` */
  readonly origin: string;
  /** `""`, or `/mirror`: stands before the repository's name, as a proxy project of Harbor wants it. */
  readonly pathPrefix: string;
  /** PEM certificates that are trusted besides Node's own roots. */
  readonly ca: readonly string[];
  /** Somebody named a CA for it: then the advice to name one is none. */
  readonly caNamed?: boolean | undefined;
  readonly client?: ClientKeyPair | undefined;
  readonly insecure: boolean;
  readonly account: Account;
}

/** A registry: the name that stands in references, and its endpoints in the order in which they are tried. */
export interface RegistryAccess {
  readonly host: string;
  readonly endpoints: readonly EndpointAccess[];
  readonly side: Side;
}
