import { type Profile } from "../pool/profile.ts";
import { reasonIn } from "./answer.ts";
import { judge } from "./judgement.ts";
import { classOf } from "./reasons.ts";

/** Apple allows one stream until a push is authenticated, and keeps idle connections; those in between may not. */
export const APNS: Profile = {
  judge,
  readGoaway: (detail) => {
    const reason = reasonIn(detail) ?? "none given";
    const what = classOf(0, reason);
    return { reason, refused: what.kind === "refused" && what.blame === "module" };
  },
  provesFirst: true,
  pingsIdle: true,
};
