import { type ServerHttp2Stream } from "node:http2";

import { errorNumber } from "../error-code.ts";
import { type OpenPush } from "../ledger.ts";
import { type Answer } from "../server/answer.ts";
import { type Connection } from "../server/connection.ts";
import { type Fault } from "./rule.ts";

interface Victim {
  readonly connection: Connection;
  readonly stream: ServerHttp2Stream;
  readonly push: OpenPush;
}

interface Answerer<V> {
  readonly answer: (victim: V, answer: Answer) => void;
  readonly process: (push: OpenPush) => void;
}

/** Does a fault to a push whose turn has come. A goaway does not take the answer's place, so it is not here. */
export function performFault<V extends Victim>(
  fault: Exclude<Fault, { kind: "goaway" }>,
  victim: V,
  service: Answerer<V>,
): void {
  const { connection, stream, push } = victim;
  if ("processed" in fault && fault.processed) service.process(push);
  switch (fault.kind) {
    case "answer":
      service.answer(victim, fault);
      return;
    case "shutdown":
      service.answer(victim, { status: 503, reason: "Shutdown" });
      connection.goaway({ reason: "Shutdown" });
      return;
    case "reset-stream":
      stream.close(errorNumber(fault.code ?? "INTERNAL_ERROR"));
      return;
    case "reset-connection":
      connection.reset();
      return;
    case "headers-only":
      stream.respond({ ":status": fault.status ?? 200, "apns-id": push.apnsId });
      return;
    case "no-answer":
      return;
  }
}
