/**
 * Types of events that a broker has stored, the last new ones; those that differ in digits alone count as one. Asked by who
 * looks for slips in filters. Bounded in number and length, whatever senders put into their types.
 */
export class RecentTypes implements Iterable<string> {
  /** By the text without its digits. */
  readonly #types = new Map<string, string>()
  readonly #fresh: string[] = []
  #last = ''

  /** On every event's path: most often the type is that of the event before. */
  see(type: string): void {
    if (type === this.#last) return
    this.#last = type
    if (type.length > LONGEST_TYPE) return
    const plain = type.replace(DIGITS, '0')
    if (this.#types.has(plain)) return
    if (this.#types.size === MOST_TYPES) this.#forgetOldest()
    this.#types.set(plain, type)
    if (this.#fresh.length < MOST_FRESH) this.#fresh.push(type)
  }

  /** Those that were new since it was last asked; of very many, some. */
  takeFresh(): readonly string[] {
    return this.#fresh.splice(0)
  }

  [Symbol.iterator](): Iterator<string> {
    return this.#types.values()
  }

  #forgetOldest(): void {
    for (const oldest of this.#types.keys()) {
      this.#types.delete(oldest)
      return
    }
  }
}

const MOST_TYPES = 100
const MOST_FRESH = 20
const LONGEST_TYPE = 256
const DIGITS = /\d+/g
