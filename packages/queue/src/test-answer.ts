import { type DispositionKind } from "@reveille/wakeup";

/** What a worker tells of a push to a device that is tested. It names no token. */
export type TestAnswer =
  | {
      readonly kind: "settled";
      readonly outcome: TestOutcome;
      readonly next: DispositionKind;
    }
  | { readonly kind: "dropped"; readonly because: string };

/** An outcome as far as people are told of it. */
export interface TestOutcome {
  readonly kind: "delivered" | "token-dead" | "throttled" | "unreachable" | "rejected";
  readonly reason?: string;
  readonly apnsId?: string;
}

const OUTCOMES = ["delivered", "token-dead", "throttled", "unreachable", "rejected"] as const;
const NEXT = ["done", "retry", "give-up"] as const;

/** Reads what a worker wrote, perhaps of another version; `undefined` for anything else. Never throws. */
export function parseTestAnswer(text: string): TestAnswer | undefined {
  const answer = jsonOf(text);
  if (!isRecord(answer)) return undefined;
  const { kind, because, outcome, next } = answer;
  if (kind === "dropped" && typeof because === "string") return { kind, because };
  if (kind !== "settled" || !isRecord(outcome)) return undefined;
  const { reason, apnsId } = outcome;
  const told = OUTCOMES.find((one) => one === outcome["kind"]);
  const follows = NEXT.find((one) => one === next);
  if (told === undefined || follows === undefined) return undefined;
  return {
    kind,
    next: follows,
    outcome: {
      kind: told,
      ...(typeof reason === "string" ? { reason } : {}),
      ...(typeof apnsId === "string" ? { apnsId } : {}),
    },
  };
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null;

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // JSON.parse has no other way to say that this is no JSON.
    return undefined;
  }
}
