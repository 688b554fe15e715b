import { type Status } from "./status.ts";

/** That of the alert ReveilleRepliesUnreached. */
const FEWEST_DOMAINS = 5;

/** Whether so many sending domains are out of reach that the cause is likelier on our side than on theirs. */
export const isOutOfReach = ({ reached, unreached }: NonNullable<Status["repliesReach"]>): boolean =>
  unreached >= FEWEST_DOMAINS && unreached > reached;
