/** Who published, by the form of the `from` attribute. */
export type Sender =
  /** A server: `domain`, `user@domain` (Prosody before 2017), or `domain/resource` (Tigase). */
  | { readonly kind: "server"; readonly domain: string }
  /** `user@domain/resource`. */
  | { readonly kind: "client"; readonly domain: string };

/** XEP-0357 §3.2 has servers publish; the local part is dropped here and goes no further than the reply. */
export function senderOf(from: string): Sender {
  const slash = from.indexOf("/");
  const bare = slash === -1 ? from : from.slice(0, slash);
  const at = bare.indexOf("@");
  if (at === -1) return { kind: "server", domain: bare };
  return { kind: slash === -1 ? "server" : "client", domain: bare.slice(at + 1) };
}
