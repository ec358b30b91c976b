/**
 * A Map of few entries that come and go for as long as the process runs, and hold much: it has what Tidings and kafkajs ask of
 * one. A Map that changes so is copied now and then, and each copy that has grown old, dead as it is, keeps the next one
 * alive and all that was in it then (docs/decisions/0030). Where little hangs on the entries, or many are there, a Map is right.
 */
export class Few<K, V> {
  readonly #keys: K[] = []
  readonly #values: V[] = []

  get size(): number {
    return this.#keys.length
  }

  has(key: K): boolean {
    return this.#keys.includes(key)
  }

  get(key: K): V | undefined {
    const at = this.#keys.indexOf(key)
    return at < 0 ? undefined : this.#values[at]
  }

  /** A new key comes last. */
  set(key: K, value: V): this {
    const at = this.#keys.indexOf(key)
    if (at < 0) {
      this.#keys.push(key)
      this.#values.push(value)
    } else {
      this.#values[at] = value
    }
    return this
  }

  delete(key: K): boolean {
    const at = this.#keys.indexOf(key)
    if (at < 0) return false
    this.#keys.splice(at, 1)
    this.#values.splice(at, 1)
    return true
  }

  clear(): void {
    this.#keys.length = 0
    this.#values.length = 0
  }

  /** Those that are there now, whatever is done meanwhile. */
  values(): readonly V[] {
    return [...this.#values]
  }

  keys(): readonly K[] {
    return [...this.#keys]
  }

  forEach(told: (value: V, key: K) => void): void {
    const keys = this.keys()
    this.values().forEach((value, at) => {
      told(value, keys[at] as K)
    })
  }
}
