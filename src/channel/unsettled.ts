// The items of a window that are not settled, in order of position. Not a Map: see core/few.ts.
import type { Item } from './item.ts'
import type { Position } from './log.ts'

/** Items at the start that were taken out, before the others move up. */
const GAP = 64

export class Unsettled {
  readonly #items: Item[] = []
  /** Those before it are out. */
  #first = 0

  get size(): number {
    return this.#items.length - this.#first
  }

  get lowest(): Item | undefined {
    return this.#items[this.#first]
  }

  get(position: Position): Item | undefined {
    const item = this.#items[this.#at(position)]
    return item?.position === position ? item : undefined
  }

  /** In place of one of its position. */
  add(item: Item): void {
    item.isUnsettled = true
    const last = this.#items.at(-1)
    if (!last || last.position < item.position) {
      this.#items.push(item)
      return
    }
    const at = this.#at(item.position)
    const before = this.#items[at]
    const replaced = before?.position === item.position ? 1 : 0
    if (before && replaced) before.isUnsettled = false
    this.#items.splice(at, replaced, item)
  }

  delete(item: Item): void {
    if (!item.isUnsettled) return
    item.isUnsettled = false
    const at = this.#at(item.position)
    if (at > this.#first) {
      this.#items.splice(at, 1)
      return
    }
    this.#first++
    if (this.#first < GAP && this.#first < this.#items.length) return
    this.#items.splice(0, this.#first)
    this.#first = 0
  }

  clear(): void {
    for (const item of this.items()) item.isUnsettled = false
    this.#items.length = 0
    this.#first = 0
  }

  /** Those that are there now, whatever is done meanwhile. */
  items(): readonly Item[] {
    return this.#items.slice(this.#first)
  }

  /** Of the first at a position or after it. */
  #at(position: Position): number {
    let low = this.#first
    let high = this.#items.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#items[middle] as Item).position < position) low = middle + 1
      else high = middle
    }
    return low
  }
}
