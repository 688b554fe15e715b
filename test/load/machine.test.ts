import { describe, expect, it } from "vitest";

import { coresOf } from "./machine.ts";

describe("the cores a process may use", () => {
  it.each([
    ["0-1", [0, 1]],
    ["3", [3]],
    ["0-2,5,8-9", [0, 1, 2, 5, 8, 9]],
  ])("are read from %s", (list, cores) => {
    expect(
      coresOf(`Name:\tnode\nCpus_allowed:\tff\nCpus_allowed_list:\t${list}\nMems_allowed:\t1\n`),
    ).toEqual(cores);
  });
});
