export { type Apns, type ReceivedPush } from "./apns.ts";
export { type ChatClient, type PushRegistration } from "./chat-client.ts";
export { type WakeupRecord } from "./records.ts";
export { type Sender } from "./sender.ts";
export { type Region, type RegionOptions, startRegion } from "./start-region.ts";
export { type ReceivedReply, type SentPublish } from "./witness.ts";
