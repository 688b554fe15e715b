import { type PushModule } from "../push-module.ts";
import { type PublishResult, type ReplyKind } from "../reply.ts";
import { type Millis } from "../time.ts";
import { type VerdictKind } from "../verdict.ts";
import { type Wakeup } from "../wakeup.ts";

/** `standby`: another ingress holds the slot of that front (`conflict`). */
export type ComponentState = "connecting" | "active" | "standby" | "down";

/** What a publish looks like it was sent by. */
export type SenderSoftware = "prosody" | "ejabberd" | "mongooseim" | "openfire" | "tigase" | "other";

export type IngressEvent =
  /** Admission has decided and, if it said `now`, the wakeup is in the queue. */
  | { readonly kind: "wakeup-admitted"; readonly wakeup: Wakeup; readonly verdict: VerdictKind }
  /** The reply is on its way; `took` since the publish was read. */
  | {
      readonly kind: "publish-answered";
      readonly result: PublishResult;
      readonly reply: ReplyKind;
      readonly took: Millis;
      readonly wakeup?: Wakeup;
    }
  | {
      readonly kind: "query-answered";
      readonly query:
        | "disco-info"
        | "disco-items"
        | "ping"
        | "version"
        | "command"
        | "unsupported"
        | "over-limit";
    }
  /** A stanza larger or deeper than a publish can be, most of it skipped; `isAnswered` if it asked and its addresses are known. */
  | { readonly kind: "oversized-stanza-skipped"; readonly isAnswered: boolean }
  /** A publish for a device that admission has just called dead, answered without asking it again. */
  | { readonly kind: "dead-device-remembered" }
  /** A ping to a sending domain has come back: from its server, or (not `isReached`) as undeliverable from our front. */
  | { readonly kind: "reply-probed"; readonly isReached: boolean }
  | { readonly kind: "stanza-ignored"; readonly stanza: "message" | "presence" | "iq" | "other" }
  /** One round of admission and queue for a micro-batch. */
  | { readonly kind: "flush-settled"; readonly wakeups: number; readonly took: Millis; readonly ok: boolean }
  | {
      readonly kind: "component-state-changed";
      readonly component: string;
      readonly state: ComponentState;
      readonly because?: string;
    }
  | {
      readonly kind: "self-ping-settled";
      readonly component: string;
      readonly took: Millis;
      readonly ok: boolean;
    }
  /**
   * A publish carried its sender's address or the text of a message, readable for us (and dropped). `domain` is an
   * open set: for a bounded list that people look at, never a label.
   */
  | { readonly kind: "clear-content-seen"; readonly software: SenderSoftware; readonly domain: string }
  /**
   * The registration guard doubts (`on`): replies that end registrations become `wait`, for everybody who publishes for
   * the module, or for one domain. `share` of the devices of the last minutes, `devices` of them, would have been forgotten.
   */
  | {
      readonly kind: "registration-guard-changed";
      readonly scope: "module" | "domain";
      /** `undefined`: modules that were never configured. */
      readonly module: PushModule | undefined;
      /** How many modules, or pairs of domain and module, are doubted now. */
      readonly doubted: number;
      readonly state: "on" | "off";
      readonly share: number;
      readonly devices: number;
    };
