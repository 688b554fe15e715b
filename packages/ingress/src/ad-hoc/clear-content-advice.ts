import { type SenderSoftware } from "@reveille/wakeup";

/** How an administrator keeps senders' addresses and texts of messages out of publishes, for each server software. */
export const CLEAR_CONTENT_ADVICE: Readonly<Record<SenderSoftware, string>> = {
  prosody:
    "Prosody: remove push_notification_with_body and push_notification_with_sender, or set both to false.",
  ejabberd:
    'ejabberd, mod_push: set include_sender: false and include_body: "New message" (a text, not true).',
  mongooseim:
    "MongooseIM: the default plugin always sends both and has no switch; set plugin_module of mod_event_pusher's push to a plugin of your own that leaves them out.",
  openfire:
    "Openfire: set the system properties pushnotifications.summary.include-last-sender and pushnotifications.summary.include-last-message-body to false.",
  tigase: "Tigase, bean 'urn:xmpp:push:0' of 'sess-man': set 'with-sender' = false and 'with-body' = false.",
  other:
    "See the push settings of your server: it need not send the sender's address nor the text of a message.",
};
