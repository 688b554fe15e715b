/** What we use of @xmpp/component-core 0.13, which brings no types: the class that @xmpp/component wraps. */
declare module "@xmpp/component-core" {
  import { type EventEmitter } from "node:events";
  import { type Socket, type TcpNetConnectOpts } from "node:net";

  export interface XmlElement {
    readonly name: string;
    readonly attrs: Readonly<Record<string, string | undefined>>;
    readonly getChildElements: () => readonly XmlElement[];
  }

  /** Emits `start`, `element`, `end` and `error`. */
  export interface Parser extends EventEmitter {
    readonly write: (text: string) => void;
  }

  export interface ComponentOptions {
    readonly service: string;
    readonly domain: string;
  }

  export class Component extends EventEmitter {
    constructor(options: ComponentOptions);
    readonly options: ComponentOptions;
    socket: Socket | null;
    parser: Parser | null;
    /** Limit of each step in ms, by a timer of the library's own; 0: none. */
    timeout: number;
    Socket: new () => Socket;
    Parser: new () => Parser;
    socketParameters(service: string): TcpNetConnectOpts;
    connect(service: string): Promise<unknown>;
    open(options: ComponentOptions): Promise<XmlElement>;
    authenticate(streamId: string, secret: string): Promise<void>;
    _onData(chunk: Buffer): void;
    _onParserError(error: Error): void;
    _onStreamError(element: XmlElement): void;
    _end(): Promise<unknown>;
  }

  export function xml(
    name: string,
    attributes?: Readonly<Record<string, string>>,
    ...children: readonly (XmlElement | string)[]
  ): XmlElement;
}
