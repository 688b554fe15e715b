import "@parse/node-apn";

declare module "@parse/node-apn" {
  // Documented in the package's doc/notification.markdown, but left out of its types.
  interface Notification {
    /** `apns-…` headers of what has been set. */
    headers(): Readonly<Record<string, string | number>>;
    /** The payload as JSON text. */
    compile(): string;
  }
}
