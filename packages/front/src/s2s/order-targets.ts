/** An SRV record (RFC 2782). */
export interface SrvRecord {
  readonly name: string;
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
}

/** Where a server may be reached; `isDirect`: TLS from the first byte (XEP-0368). */
export interface Target {
  readonly host: string;
  readonly port: number;
  readonly isDirect: boolean;
}

/**
 * SRV records of both kinds in the order in which they are tried: by priority, and within one by weight at random (RFC
 * 2782, XEP-0368 §3). The target `.` means that the service is not offered.
 */
export function orderTargets(
  records: readonly (SrvRecord & Pick<Target, "isDirect">)[],
  random: () => number,
): readonly Target[] {
  const offered = records.filter(({ name }) => name !== "" && name !== ".");
  const priorities = [...new Set(offered.map(({ priority }) => priority))].toSorted(
    (one, other) => one - other,
  );
  return priorities.flatMap((wanted) =>
    drawn(
      offered.filter(({ priority }) => priority === wanted),
      random,
    ).map(({ name, port, isDirect }) => ({ host: name, port, isDirect })),
  );
}

function drawn<T extends { readonly weight: number }>(
  records: readonly T[],
  random: () => number,
): readonly T[] {
  const left = records.toSorted((one, other) => one.weight - other.weight);
  const order: T[] = [];
  while (left.length > 0) {
    let rest = random() * left.reduce((sum, { weight }) => sum + weight, 0);
    const at = left.findIndex(({ weight }) => (rest -= weight) <= 0);
    order.push(...left.splice(Math.max(at, 0), 1));
  }
  return order;
}
