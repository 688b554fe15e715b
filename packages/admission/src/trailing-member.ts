import {
  type EpochMillis,
  epochMillis,
  isPushModule,
  packToken,
  unpackToken,
  type Wakeup,
} from "@reveille/wakeup";

/** A wakeup in the ZSET of trailing pushes, with the time it was due. */
export interface TrailingWakeup {
  readonly wakeup: Wakeup;
  readonly due: EpochMillis;
}

const MEMBER_SHAPE = /^(\d{1,15})\|([!.])([0-9a-z]{1,10})\|([A-Za-z0-9_-]{1,64})\|([A-Za-z0-9_:~-]+)$/;

/**
 * What a script puts behind `<due time>|` to make a member: `!` for urgent or `.`, time received in base 36, module,
 * packed token (a backlog holds one member per device). `decide.lua` puts a zero in front of the time of a device that
 * never had a push.
 */
export function encodePayload({ token, module, urgent, receivedAt }: Wakeup): string {
  return `${urgent ? "!" : "."}${receivedAt.toString(36)}|${module}|${packToken(token)}`;
}

/** Any text gives a wakeup or `undefined`, never an exception. */
export function decodeMember(member: string): TrailingWakeup | undefined {
  const [, due, urgent, receivedAt, module, packed] = MEMBER_SHAPE.exec(member) ?? [];
  if (due === undefined || receivedAt === undefined || module === undefined || packed === undefined) return;
  const token = unpackToken(packed);
  const received = Number.parseInt(receivedAt, 36);
  if (token === undefined || !isPushModule(module) || !Number.isSafeInteger(received)) return;
  return {
    wakeup: {
      token,
      module,
      urgent: urgent === "!",
      receivedAt: epochMillis(received),
      ...(receivedAt.length > 1 && receivedAt.startsWith("0") ? { unproven: true } : {}),
    },
    due: epochMillis(Number(due)),
  };
}
