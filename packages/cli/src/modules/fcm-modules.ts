import { type Config } from "@reveille/runtime";
import { type PushModule } from "@reveille/wakeup";

/** The modules whose devices have tokens of FCM. */
export const fcmModulesOf = ({ modules }: Config): ReadonlySet<PushModule> =>
  new Set([...modules].flatMap(([name, { fcm }]) => (fcm === undefined ? [] : [name])));
