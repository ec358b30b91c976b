/** Types of events that a broker has stored, the last new ones. Asked by those who look for slips in filters. */
export class RecentTypes implements Iterable<string> {
  readonly #types = new Set<string>()
  #last = ''
  #version = 0

  /** Grows whenever a type is new. */
  get version(): number {
    return this.#version
  }

  /** On every event's path: most often the type is that of the event before. */
  see(type: string): void {
    if (type === this.#last) return
    this.#last = type
    if (this.#types.has(type)) return
    if (this.#types.size === MOST_TYPES) this.#forgetOldest()
    this.#types.add(type)
    this.#version++
  }

  [Symbol.iterator](): Iterator<string> {
    return this.#types.values()
  }

  #forgetOldest(): void {
    for (const oldest of this.#types) {
      this.#types.delete(oldest)
      return
    }
  }
}

const MOST_TYPES = 1_000
