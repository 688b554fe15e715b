import { type TestAnswer } from "@reveille/queue";
import { type VerdictKind } from "@reveille/wakeup";

/** What admission has said about the push, and what follows. */
export function verdictInWords(verdict: VerdictKind): string {
  switch (verdict) {
    case "now":
      return "Admission: it may leave now.";
    case "later":
      return "Admission: the device had a push in this window, so this one leaves at its end.";
    case "merged":
      return "Admission: a push for the device waits already, and stands for this one.";
    case "dead":
      return "Admission: the device token is known to be dead, so nothing is sent. A new registration has a new token; `reveille token` shows and mends what is known.";
    case "over-limit":
      return "Admission: over a limit.";
    case "over-budget":
      return "Admission: a new device, and no budget left for such devices.";
  }
}

/** What a worker has told, for people who do not know the push service's reasons. */
export function inWords(answer: TestAnswer, service: "Apple" | "Google"): string {
  if (answer.kind === "dropped") {
    return answer.because === "covered"
      ? "A worker: dropped, since a newer push for the device covers it."
      : "A worker: dropped, since its deadline has passed.";
  }
  const { outcome, next } = answer;
  const reason = outcome.reason ?? "";
  const again = next === "retry" ? " A worker tries again." : "";
  switch (outcome.kind) {
    case "delivered":
      return `${service} has accepted the push (${outcome.apnsId ?? "without id"}). It shows the notification at once if the device is on, and later otherwise.`;
    case "token-dead":
      return `${service} does not know the device token (${reason}): ${DEAD.get(reason) ?? OTHER_DEAD}${again}`;
    case "throttled":
      return `${service} gets too many pushes for this device (${reason}).${again}`;
    case "unreachable":
      return `${service} cannot be reached, or has trouble of its own (${reason}); \`reveille doctor\` looks closer.${again}`;
    case "rejected":
      return `${service} refuses the push (${reason}): \`reveille doctor\` says what to mend in the module.${again}`;
  }
}

const OTHER_DEAD = "the app must register anew.";

const DEAD: ReadonlyMap<string, string> = new Map([
  [
    "BadDeviceToken",
    "it is of the other environment (an app from Xcode has tokens of the sandbox), or mistyped. A worker asks a second time before it believes that.",
  ],
  ["DeviceTokenNotForTopic", "it belongs to another app than the module's topic."],
  ["UNREGISTERED", "the app was removed from the device, or has another token since."],
  ["Unregistered", "the app was removed from the device, or has registered anew since."],
  ["ExpiredToken", "it has expired; the app registers anew when it runs."],
]);
