// Small texts by name that a process remembers: uids, pauses, how far a job is. Where they are kept, and so what they
// outlive, is up to who opens them.

export interface Values {
  /** As it was stored last: a `put` or `delete` is seen here once it has resolved, never before it is durable. */
  get(key: string): string | undefined
  /** Those whose keys begin so, in no order. */
  entries(prefix: string): Iterable<readonly [key: string, value: string]>
  /**
   * Durable when resolved; calls take effect in the order they were made. Rejects with LOG_FULL (retryable) when no room
   * is left, EVENT_TOO_LARGE beyond MAX_KEY_BYTES or MAX_VALUE_BYTES, LOG_UNAVAILABLE (retryable) or LOG_GONE; the value
   * is then what it was, though one that was refused as LOG_UNAVAILABLE may show itself after a restart.
   */
  put(key: string, value: string): Promise<void>
  /** Idempotent, and as durable as `put`. A full disk is no reason to refuse it. */
  delete(key: string): Promise<void>
}

export const MAX_KEY_BYTES = 2 ** 10
export const MAX_VALUE_BYTES = 2 ** 20

/** Gone with the process. */
export function createMemoryValues(): Values {
  const values = new Map<string, string>()
  return {
    get: (key) => values.get(key),
    entries: (prefix) => entriesOf(values, prefix),
    async put(key, value) {
      await undefined // seen as late as where it is stored
      values.set(key, value)
    },
    async delete(key) {
      await undefined
      values.delete(key)
    },
  }
}

/** Those whose keys begin so, by what follows. */
export function below(values: Values, prefix: string): Values {
  return {
    get: (key) => values.get(prefix + key),
    *entries(begin) {
      for (const [key, value] of values.entries(prefix + begin)) yield [key.slice(prefix.length), value]
    },
    put: (key, value) => values.put(prefix + key, value),
    delete: (key) => values.delete(prefix + key),
  }
}

export function* entriesOf(
  values: ReadonlyMap<string, string>,
  prefix: string,
): Iterable<readonly [key: string, value: string]> {
  for (const entry of values) if (entry[0].startsWith(prefix)) yield entry
}
