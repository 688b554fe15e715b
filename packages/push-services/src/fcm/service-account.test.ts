import { generateKeyPairSync } from "node:crypto";

import { describe, expect, it } from "vitest";

import { aFolder } from "../testing/a-folder.ts";
import { loadServiceAccount } from "./service-account.ts";

const keyOf = (type: "rsa" | "ec"): string =>
  (type === "rsa"
    ? generateKeyPairSync("rsa", { modulusLength: 2_048 })
    : generateKeyPairSync("ec", { namedCurve: "prime256v1" })
  ).privateKey
    .export({ type: "pkcs8", format: "pem" })
    .toString();

const fields = {
  client_email: "pusher@my-project.iam.gserviceaccount.com",
  private_key_id: "abc",
  private_key: keyOf("rsa"),
  token_uri: "https://oauth2.googleapis.com/token",
};

describe("a service account", () => {
  it("is the file that Google hands out", async () => {
    await using folder = await aFolder({ "account.json": JSON.stringify(fields) });
    const { account, exposed } = await loadServiceAccount(folder.file("account.json"));
    expect(account).toMatchObject({ clientEmail: fields.client_email, keyId: "abc" });
    expect([account.tokenUri.href, exposed]).toEqual([fields.token_uri, false]);
    await folder.expose("account.json");
    expect((await loadServiceAccount(folder.file("account.json"))).exposed).toBe(true);
  });

  it.each([
    ["no JSON", "{", /is not the JSON file that Google hands out/],
    ["a file of something else", "[1]", /is not the JSON file that Google hands out/],
    [
      "no key",
      JSON.stringify({ ...fields, private_key: "secret stuff" }),
      /has a private_key that is no key in PEM form$/,
    ],
    [
      "another kind of key",
      JSON.stringify({ ...fields, private_key: keyOf("ec") }),
      /has a private_key that is no RSA key$/,
    ],
    [
      "no https",
      JSON.stringify({ ...fields, token_uri: "http://x/token" }),
      /has a token_uri that is no https URL$/,
    ],
  ])("is refused with %s, by the name of its file and without its content", async (_what, text, because) => {
    await using folder = await aFolder({ "account.json": text });
    const failed = loadServiceAccount(folder.file("account.json"));
    await expect(failed).rejects.toThrow(because);
    await expect(failed).rejects.toThrow(/^service account .*account\.json /);
    await expect(failed).rejects.not.toThrow(/secret stuff/);
  });

  it("that is not there is named", async () => {
    await expect(loadServiceAccount("/nowhere/account.json")).rejects.toThrow(
      "cannot read service account /nowhere/account.json: there is no such file",
    );
  });
});
