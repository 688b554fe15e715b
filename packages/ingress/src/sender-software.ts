import { type SenderSoftware } from "@reveille/wakeup";

/** Shapes of the ids that servers give their publishes. */
const IDS: readonly (readonly [RegExp, SenderSoftware])[] = [
  // A SHA-256, or the constant of 2015 and 2016.
  [/^(?:[0-9a-f]{64}|push)$/, "prosody"],
  [/^rr-\d+-/, "ejabberd"],
  [/^\d{1,3}-\d+$/, "openfire"],
  [/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, "tigase"],
  [/^.+_[0-9a-f]+$/i, "mongooseim"],
];

/** A guess, good enough to tell an operator whose settings to look at. */
export const senderSoftwareOf = (id: string): SenderSoftware =>
  IDS.find(([shape]) => shape.test(id))?.[1] ?? "other";
