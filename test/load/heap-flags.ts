/**
 * What keeps a worker small: by itself V8 takes memory where there is some, up to 48 MB for new objects and as much
 * again for garbage, and then never gives it back. Costs a few µs per push.
 */
export const HEAP_FLAGS = ["--max-semi-space-size=2", "--heap-growing-percent=60"];
