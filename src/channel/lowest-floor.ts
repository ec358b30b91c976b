import { Heap } from '../core/heap.ts'
import type { Position } from './log.ts'

/** Something that holds a floor which only ever grows. `inFloors` belongs to LowestFloor. */
export interface FloorHolder {
  /** All before it is settled; Infinity when nothing is held. */
  floor(): Position
  inFloors: boolean
}

/**
 * The lowest floor of many, without looking at all of them: a heap of what each holder's floor was when it was last
 * looked at. Floors only grow, so the top is the lowest once it has been looked at again.
 */
export class LowestFloor<T extends FloorHolder> {
  readonly #heap = new Heap<{ readonly seen: Position; readonly holder: T }>((held) => held.seen)

  /** Idempotent. A holder leaves by itself once its floor is Infinity. */
  add(holder: T): void {
    const seen = holder.floor()
    if (holder.inFloors || seen === Infinity) return
    holder.inFloors = true
    this.#heap.push({ seen, holder })
  }

  lowest(): T | undefined {
    for (;;) {
      const top = this.#heap.peek()
      if (!top) return undefined
      const floor = top.holder.floor()
      if (floor === top.seen && floor !== Infinity) return top.holder
      this.#heap.pop()
      if (floor === Infinity) top.holder.inFloors = false
      else this.#heap.push({ seen: floor, holder: top.holder })
    }
  }
}
