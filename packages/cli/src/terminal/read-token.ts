import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { text } from "node:stream/consumers";

import { type DeviceToken, parseDeviceToken, type TokenKind } from "@reveille/wakeup";

import { UsageError } from "./usage-error.ts";

type Input = NodeJS.ReadableStream & { readonly isTTY?: boolean };

/** The device token that `input` holds; at a terminal it is asked for, and not shown. Throws if it holds none, or more. */
export async function readToken(input: Input, kind: TokenKind): Promise<DeviceToken> {
  const given = input.isTTY === true ? await typedAt(input) : await text(input);
  const token = parseDeviceToken(given.trim(), kind);
  if (token !== undefined) return token;
  throw new UsageError(`standard input holds no device token: ${SHAPES[kind]}`);
}

async function typedAt(input: Input): Promise<string> {
  process.stderr.write("Device token (is not shown): ");
  // readline echoes what is typed to its output.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input, output: nowhere, terminal: true });
  const first = await lines[Symbol.asyncIterator]().next();
  lines.close();
  process.stderr.write("\n");
  return first.done === true ? "" : first.value;
}

const SHAPES: Readonly<Record<TokenKind, string>> = {
  apns: "it is 32 to 512 hex digits on one line",
  fcm: "it is 32 to 512 of A-Z a-z 0-9 _ : - on one line",
};
