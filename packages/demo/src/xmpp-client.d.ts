/** What we use of @xmpp/client 0.13, which brings no types. */
declare module "@xmpp/client" {
  export interface XmlElement {
    readonly name: string;
    readonly attrs: Readonly<Record<string, string | undefined>>;
    readonly toString: () => string;
    readonly getChild: (name: string) => XmlElement | undefined;
    readonly getChildren: (name: string) => readonly XmlElement[];
    readonly getChildText: (name: string) => string | null;
  }

  export interface ClientOptions {
    readonly service: string;
    readonly domain: string;
    readonly username: string;
    readonly password: string;
    readonly resource?: string;
  }

  export interface Client {
    /** Resolves with the address when the client is online. */
    readonly start: () => Promise<unknown>;
    readonly stop: () => Promise<unknown>;
    readonly send: (element: XmlElement) => Promise<void>;
    readonly on: (event: "error", listener: (error: Error) => void) => void;
    readonly iqCaller: { readonly request: (iq: XmlElement, timeoutMs?: number) => Promise<XmlElement> };
    readonly reconnect: { readonly stop: () => void };
  }

  export function client(options: ClientOptions): Client;

  export function xml(
    name: string,
    attributes?: Readonly<Record<string, string>>,
    ...children: readonly (XmlElement | string)[]
  ): XmlElement;
}
