/**
 * What the sender is told. `later` keeps the registration (`wait`), `forget` ends it (`cancel`); the stanza
 * for each case stands in the reply table of ingress.
 */
export type ReplyKind = "accepted" | "later" | "forget";

/** Why a publish got its reply. */
export type PublishResult =
  | "queued"
  | "later"
  | "merged"
  | "token-dead"
  | "no-device-token"
  | "unknown-module"
  /** The region served this module, or tokens of this kind for it, before its configuration changed. */
  | "module-changed"
  | "malformed"
  | "over-limit"
  /** To a device that never had a push, when the domain has no budget left for such devices. */
  | "over-budget"
  | "blocked"
  /** Published by a client, which has no business here. */
  | "not-a-server"
  | "overload"
  | "draining"
  | "our-trouble";
