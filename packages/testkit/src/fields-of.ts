type Fields = Readonly<Record<string, unknown>>;

const isRecord = (value: unknown): value is Fields => typeof value === "object" && value !== null;

/** The fields of an object; none of anything else. */
export const fieldsOf = (value: unknown): Fields => (isRecord(value) ? value : {});
