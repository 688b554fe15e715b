import { headerOf, type PushRequest } from "../push-request.ts";
import { type Refusal, refuse } from "../refusal.ts";

const TOPIC_SHAPE = /^[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*$/;
const LONGEST_TOPIC = 255;

/** What follows the bundle id, by push type ("Sending notification requests to APNs"). */
const SUFFIX = new Map([
  ["complication", ".complication"],
  ["controls", ".push-type.controls"],
  ["fileprovider", ".pushkit.fileprovider"],
  ["liveactivity", ".push-type.liveactivity"],
  ["location", ".location-query"],
  ["pushtotalk", ".voip-ptt"],
  ["voip", ".voip"],
  ["widgets", ".push-type.widgets"],
]);
const PLAIN = new Set(["alert", "background"]);

/** The topic a push is for: its header or, with a certificate for one app, that app. */
export const topicOf = (request: PushRequest, certified: string | undefined): string | undefined =>
  headerOf(request, "apns-topic") ?? certified;

/** Step 4: topic present, well-formed, right for the push type and allowed for the sender. */
export function refuseTopic(
  request: PushRequest,
  certified: string | undefined,
  allowed: readonly string[] | undefined,
): Refusal | undefined {
  const topic = topicOf(request, certified);
  if (topic === undefined || topic === "") return refuse("MissingTopic");
  if (topic.length > LONGEST_TOPIC || !TOPIC_SHAPE.test(topic)) return refuse("BadTopic");
  if (!suits(topic, headerOf(request, "apns-push-type"))) return refuse("BadTopic");
  const app = bundleIdOf(topic);
  if (certified !== undefined && app !== bundleIdOf(certified)) return refuse("TopicDisallowed");
  if (allowed !== undefined && !allowed.some((other) => other === topic || other === app)) {
    return refuse("TopicDisallowed");
  }
  return undefined;
}

/** The app a topic belongs to. */
export function bundleIdOf(topic: string): string {
  for (const suffix of SUFFIX.values()) if (topic.endsWith(suffix)) return topic.slice(0, -suffix.length);
  return topic;
}

function suits(topic: string, type: string | undefined): boolean {
  if (type === undefined) return true;
  if (PLAIN.has(type)) return bundleIdOf(topic) === topic;
  const suffix = SUFFIX.get(type);
  return suffix === undefined || (topic.endsWith(suffix) && topic !== suffix);
}
