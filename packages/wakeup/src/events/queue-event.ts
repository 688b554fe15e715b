import { type Millis } from "../time.ts";
import { type Outcome } from "../outcome.ts";
import { type Wakeup } from "../wakeup.ts";

/** What the queue does next with a wakeup. */
export type DispositionKind = "done" | "retry" | "give-up";

export type QueueEvent =
  /** A worker has taken a batch; `waited`: age of its oldest wakeup. */
  | { readonly kind: "batch-taken"; readonly wakeups: number; readonly waited: Millis }
  | {
      readonly kind: "batch-settled";
      readonly done: number;
      readonly retried: number;
      readonly givenUp: number;
      readonly took: Millis;
    }
  /** The push service has answered (or did not); `age` since the publish was received, `took` since sending. */
  | {
      readonly kind: "delivery-settled";
      readonly wakeup: Wakeup;
      readonly outcome: Outcome;
      readonly next: DispositionKind;
      readonly age: Millis;
      readonly took: Millis;
    }
  /** Dropped on purpose, without asking the push service. */
  | { readonly kind: "wakeup-dropped"; readonly wakeup: Wakeup; readonly because: "deadline" | "covered" }
  /** Trailing pushes whose time has come went into the queue. */
  | { readonly kind: "trailing-pumped"; readonly wakeups: number }
  /** Entries in Redis that no version of ours wrote, or a newer one; dropped. */
  | { readonly kind: "trailing-broken"; readonly members: number }
  /** `wakeups`: how many entries of a batch were unreadable; absent if all of it was. */
  | { readonly kind: "batch-broken"; readonly wakeups?: number }
  /** A newer version wrote it: it waits for a worker that can read it. */
  | { readonly kind: "batch-newer" }
  /** The worker's code threw, the lock was lost or Redis refused; the batch is tried again as a whole. */
  | { readonly kind: "batch-failed"; readonly because: string }
  /** The queue's reader owed an answer although Redis was there; a new one was opened beside it. */
  | { readonly kind: "consumer-restarted"; readonly stuckFor: Millis }
  /** `full`: Redis uses so much of its memory (`share`, 0 to 1) that new wakeups are refused. */
  | { readonly kind: "redis-room-changed"; readonly full: boolean; readonly share: number }
  /** `because`: how a Redis that is killed could lose accepted wakeups; absent if it could not. */
  | { readonly kind: "redis-durability-changed"; readonly because?: string }
  /**
   * Redis came without the region's secret, so without any of its data, or with another one. `secret`: that of this process was
   * put back, or that of another process was taken over.
   */
  | { readonly kind: "redis-data-lost"; readonly secret: "put-back" | "taken-over" }
  /** Redis keeps batches in more memory than it needs; `limit`: its `hash-max-listpack-value`, bytes. */
  | { readonly kind: "redis-packs-loosely"; readonly limit: number }
  /**
   * Redis, or a replica of it, was told to rewrite its append-only file; `failed`: the last rewrite has not come to its end.
   * `because`: the first word of a refusal, or why a replica cannot be reached.
   */
  | {
      readonly kind: "append-only-file-rewrite";
      readonly part: "primary" | "replica";
      readonly outcome: "started" | "refused" | "failed" | "unreachable";
      readonly because?: string;
    }
  /** Accepted wakeups are in fewer replicas than the configuration asks for. */
  | { readonly kind: "replicas-missing"; readonly wanted: number; readonly replicas: number }
  | { readonly kind: "redis-trouble"; readonly connection: string; readonly because: string }
  | { readonly kind: "redis-recovered"; readonly connection: string }
  /** This host's clock is ahead of Redis' by so many ms, or behind it (negative); `isWrong`: by more than 30 s. */
  | {
      readonly kind: "clock-compared";
      readonly ahead: number;
      readonly isWrong: boolean;
      /** Whether `isWrong` differs from the last time. */
      readonly hasChanged: boolean;
    };
