import { describe, expect, it } from "vitest";

import { allOrNothing } from "./start-together.ts";

const aPart = (name: string, stopped: string[]): AsyncDisposable & { readonly name: string } => ({
  name,
  [Symbol.asyncDispose]: async () => void stopped.push(name),
});

describe("things that start side by side", () => {
  it("are stopped in the reverse of the order they were named in", async () => {
    const stopped: string[] = [];
    {
      await using parts = new AsyncDisposableStack();
      const [one, two] = await allOrNothing(parts, [
        Promise.resolve(aPart("one", stopped)),
        Promise.resolve(aPart("two", stopped)),
      ]);
      expect([one.name, two.name]).toEqual(["one", "two"]);
    }
    expect(stopped).toEqual(["two", "one"]);
  });

  it("are all stopped when one of them fails, also one that starts after the failure", async () => {
    const stopped: string[] = [];
    const late = Promise.withResolvers<AsyncDisposable>();
    const start = async (): Promise<void> => {
      await using parts = new AsyncDisposableStack();
      await allOrNothing(parts, [Promise.reject(new Error("no")), late.promise]);
    };
    const outcome = start().catch((error: unknown) => error);
    late.resolve(aPart("late", stopped));
    expect(await outcome).toEqual(new Error("no"));
    expect(stopped).toEqual(["late"]);
  });
});
