import { describe, expect, it } from "vitest";

import { startApnsSimulator } from "../index.ts";
import { aRequest, connectRaw, frame } from "../testing/raw-client.ts";
import { ClosedStreams } from "./closed-streams.ts";
import { FLAG, FRAME } from "./frames.ts";

type Step = (streams: ClosedStreams) => void;
const sends =
  (type: number, stream: number, flags = 0): Step =>
  (streams) =>
    streams.onFrame(type, stream, flags);
const closed =
  (stream: number): Step =>
  (streams) =>
    streams.closed(stream);
const END = FLAG.endStream;

it("PRIORITY on stream 0 ends the connection", async () => {
  await using simulator = await startApnsSimulator();
  await using client = await connectRaw(simulator.port, simulator.ca);
  client.socket.write(frame(FRAME.priority, 0, 0, Buffer.alloc(5)));
  await client.ended;
  expect(client.frames().some((one) => one.startsWith("7 0 0000000000000001"))).toBe(true);
});

describe("frames on streams that a client has ended", () => {
  it.each<[string, readonly Step[], number]>([
    ["DATA after END_STREAM", [sends(FRAME.headers, 1, END), sends(FRAME.data, 1)], 1],
    ["HEADERS after END_STREAM", [sends(FRAME.headers, 1, END), sends(FRAME.headers, 1)], 1],
    [
      "DATA after RST_STREAM",
      [sends(FRAME.headers, 1), sends(FRAME.resetStream, 1), sends(FRAME.data, 1)],
      1,
    ],
    ["HEADERS of a lower stream", [sends(FRAME.headers, 5, END), sends(FRAME.headers, 3, END)], 1],
    ["a body and trailers", [sends(FRAME.headers, 1), sends(FRAME.data, 1), sends(FRAME.headers, 1, END)], 0],
    [
      "DATA that was on its way at a reset",
      [sends(FRAME.headers, 1), closed(1), sends(FRAME.data, 1, END)],
      0,
    ],
    ["a late RST_STREAM", [sends(FRAME.headers, 1, END), closed(1), sends(FRAME.resetStream, 1)], 0],
    ["WINDOW_UPDATE after the end", [sends(FRAME.headers, 1, END), sends(8, 1)], 0],
  ])("%s", (_what, steps, misuses) => {
    let found = 0;
    const streams = new ClosedStreams(() => (found += 1));
    for (const step of steps) step(streams);
    expect(found).toBe(misuses);
  });

  it("remembers a bounded number of streams that the server has reset", () => {
    let found = 0;
    const streams = new ClosedStreams(() => (found += 1));
    for (let stream = 1; stream <= 2_001; stream += 2) {
      streams.onFrame(FRAME.headers, stream, 0);
      streams.closed(stream);
    }
    streams.onFrame(FRAME.data, 3, 0);
    expect(found).toBe(0);
    streams.onFrame(FRAME.data, 1, 0);
    expect(found).toBe(1);
  });

  it.each([
    ["DATA after END_STREAM", Buffer.concat([aRequest(1), frame(FRAME.data, FLAG.endStream, 1)])],
    ["a stream identifier that goes down", Buffer.concat([aRequest(5), aRequest(3)])],
  ])("end the connection: %s", async (_what, bytes) => {
    await using simulator = await startApnsSimulator({ behaviour: { firstStreamLimit: 10 } });
    await using client = await connectRaw(simulator.port, simulator.ca);
    client.socket.write(bytes);
    await client.ended;
    // GOAWAY: last stream 0, STREAM_CLOSED.
    expect(client.frames().some((one) => one.startsWith("7 0 0000000000000005"))).toBe(true);
    expect(simulator.connections[0]?.misusedStreams).toBe(1);
  });
});
