/** The primary as one Sentinel names it. */
export interface NamedPrimary {
  /** `host:port`, as the Sentinel writes it: `localhost`, `127.0.0.1` and a name may be one server. */
  readonly address: string;
  /** What the server calls itself; absent while the Sentinel has not reached it, e.g. when it is down. */
  readonly runId: string | undefined;
}

/** What `SENTINEL MASTER` answers: names and values in turn. */
export function primaryIn(answer: unknown): NamedPrimary {
  const fields = pairsOf(answer);
  const runId = fields.get("runid");
  return {
    address: `${fields.get("ip")}:${fields.get("port")}`,
    runId: runId === undefined || runId === "" ? undefined : runId,
  };
}

/** Two answers are about one server if its run id or its address is the same. */
export const isSamePrimary = (one: NamedPrimary, other: NamedPrimary): boolean =>
  one.address === other.address || (one.runId !== undefined && one.runId === other.runId);

/** The largest number of answers that are about one server. */
export const mostAgreeing = (answers: readonly NamedPrimary[]): number =>
  Math.max(0, ...primariesIn(answers).map(({ length }) => length));

/** The answers by the server that they are about. */
export function primariesIn(answers: readonly NamedPrimary[]): readonly (readonly NamedPrimary[])[] {
  let groups: readonly (readonly NamedPrimary[])[] = [];
  for (const answer of answers) {
    const same = groups.filter((group) => group.some((one) => isSamePrimary(one, answer)));
    groups = [...groups.filter((group) => !same.includes(group)), [...same.flat(), answer]];
  }
  return groups;
}

export function pairsOf(answer: unknown): ReadonlyMap<string, string> {
  const flat: readonly unknown[] = Array.isArray(answer) ? answer : [];
  const pairs = new Map<string, string>();
  for (let at = 0; at + 1 < flat.length; at += 2) pairs.set(String(flat[at]), String(flat[at + 1]));
  return pairs;
}
