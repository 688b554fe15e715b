import { type Status } from "../index.ts";

const isStatus = (value: unknown): value is Status =>
  typeof value === "object" && value !== null && "roles" in value;

/** `/status.json`; throws if it is none. */
export function parsedStatus(text: string): Status {
  const value: unknown = JSON.parse(text);
  if (isStatus(value)) return value;
  throw new Error(`no status: ${text}`);
}
