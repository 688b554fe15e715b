import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";

import { type DeviceToken, parseDeviceToken, type TokenKind } from "@reveille/wakeup";

type Input = NodeJS.ReadableStream & { readonly isTTY?: boolean };

/** The device token on the first line of `input`; at a terminal it is asked for, and not shown. Throws if it is none. */
export async function readToken(input: Input, kind: TokenKind): Promise<DeviceToken> {
  const isTerminal = input.isTTY === true;
  if (isTerminal) process.stderr.write("Device token (is not shown): ");
  // readline echoes what is typed to its output.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input, output: nowhere, terminal: isTerminal });
  const first = await lines[Symbol.asyncIterator]().next();
  lines.close();
  if (isTerminal) process.stderr.write("\n");
  const token = first.done === true ? undefined : parseDeviceToken(first.value.trim(), kind);
  if (token !== undefined) return token;
  throw new Error(`standard input holds no device token: ${SHAPES[kind]}`);
}

const SHAPES: Readonly<Record<TokenKind, string>> = {
  apns: "it is 32 to 512 hex digits on one line",
  fcm: "it is 32 to 512 of A-Z a-z 0-9 _ : - on one line",
};
