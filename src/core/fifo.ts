/** A list that is filled at its end and emptied at its start, both in constant time. What was taken is let go of at once. */
export class Fifo<T> {
  readonly #items: (T | undefined)[] = []
  #first = 0

  get size(): number {
    return this.#items.length - this.#first
  }

  peek(): T | undefined {
    return this.#items[this.#first]
  }

  push(item: T): void {
    this.#items.push(item)
  }

  shift(): T | undefined {
    const item = this.#items[this.#first]
    if (this.#first === this.#items.length) return undefined
    this.#items[this.#first++] = undefined
    if (this.#first > 64 && this.#first * 2 > this.#items.length) {
      // In place: an array that is left behind would go on pointing at what is in it.
      this.#items.splice(0, this.#first)
      this.#first = 0
    }
    return item
  }

  clear(): void {
    this.#items.length = 0
    this.#first = 0
  }

  *[Symbol.iterator](): Iterator<T> {
    for (let at = this.#first; at < this.#items.length; at++) yield this.#items[at] as T
  }
}
