import { vi } from "vitest";

/** How long a test waits for something unless it says how long, in ms: vitest's own second is too short on a busy machine. */
const PATIENCE_MS = 20_000;

type Options = Parameters<typeof vi.waitFor>[1];

const { waitFor, waitUntil } = vi;

const patiently = (options: Options = {}): Options =>
  typeof options === "number" ? options : { timeout: PATIENCE_MS, ...options };

vi.waitFor = (look, options) => waitFor(look, patiently(options));
vi.waitUntil = (look, options) => waitUntil(look, patiently(options));
