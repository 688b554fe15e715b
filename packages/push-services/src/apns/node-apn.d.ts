// The types of @parse/node-apn are for its entry only, and leave `headers` and `compile` out, which its
// doc/notification.markdown has.
declare module "@parse/node-apn/lib/notification/index.js" {
  import { type Notification as Documented } from "@parse/node-apn";

  export default class Notification extends Documented {
    /** `apns-…` headers of what has been set. */
    headers(): Readonly<Record<string, string | number>>;
    /** The payload as JSON text. */
    compile(): string;
  }
}
