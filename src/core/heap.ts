/** A binary heap: the item with the lowest key first. Equal keys come in any order. */
export class Heap<T> {
  readonly #items: T[] = []
  readonly #keyOf: (item: T) => number

  /** An item's key must not change while it is in the heap. */
  constructor(keyOf: (item: T) => number) {
    this.#keyOf = keyOf
  }

  get size(): number {
    return this.#items.length
  }

  peek(): T | undefined {
    return this.#items[0]
  }

  push(item: T): void {
    const items = this.#items
    let at = items.push(item) - 1
    const key = this.#keyOf(item)
    while (at > 0) {
      const above = (at - 1) >> 1
      const upper = items[above] as T
      if (this.#keyOf(upper) <= key) break
      items[at] = upper
      at = above
    }
    items[at] = item
  }

  pop(): T | undefined {
    const items = this.#items
    const top = items[0]
    const last = items.pop()
    if (items.length === 0 || last === undefined) return top
    const key = this.#keyOf(last)
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= items.length) break
      if (child + 1 < items.length && this.#keyOf(items[child + 1] as T) < this.#keyOf(items[child] as T)) child++
      const lower = items[child] as T
      if (this.#keyOf(lower) >= key) break
      items[at] = lower
      at = child
    }
    items[at] = last
    return top
  }
}
