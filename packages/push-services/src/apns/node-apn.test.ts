import { Notification, Provider } from "@parse/node-apn";
import { startApnsSimulator } from "@reveille/push-simulator";
import { aToken } from "@reveille/testkit";
import { expect, it } from "vitest";

import { aKey, KEY_ID, TEAM_ID } from "../testing/an-apns.ts";

it("the simulator answers node-apn as Apple does", async () => {
  const key = aKey();
  const keys = [{ keyId: KEY_ID, teamId: TEAM_ID, publicKey: key.publicKey }];
  await using simulator = await startApnsSimulator({ keys, topics: ["org.example.app"] });
  const dead = aToken(2);
  simulator.devices.kill(dead, "Unregistered");
  const options = {
    token: { key: key.privateKey, keyId: KEY_ID, teamId: TEAM_ID },
    address: "localhost",
    port: simulator.port,
    ca: [simulator.ca],
    production: true,
  };
  const provider = new Provider(options);
  const push = new Notification({ topic: "org.example.app", alert: "hello" });
  const { sent } = await provider.send(push, aToken(1));
  // One after the other: it loses what it sends beyond the first stream limit.
  const { failed } = await provider.send(push, dead);
  void provider.shutdown();
  expect(sent.map(({ device }) => device)).toEqual([aToken(1)]);
  expect(failed).toMatchObject([{ device: dead, status: 410, response: { reason: "Unregistered" } }]);
  expect(simulator.connections[0]).toMatchObject({ alpn: true, signature: "ieee-p1363" });
});
