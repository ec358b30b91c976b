// Bytes held in memory, counted in a tree: process > namespace > broker > subscription.

/**
 * One node of the tree. What is held here is held in every parent, so a parent's limit bounds its children together.
 * Limits are checked by `hasRoom` before taking, and `take` never refuses: whoever must hold one event always can.
 */
export class Budget {
  readonly limitBytes: number
  readonly #parent: Budget | undefined
  #heldBytes = 0

  constructor(limitBytes: number, parent?: Budget) {
    this.limitBytes = limitBytes
    this.#parent = parent
  }

  get heldBytes(): number {
    return this.#heldBytes
  }

  /** Whether this many more bytes fit here and in every parent. */
  hasRoom(bytes: number): boolean {
    for (let node: Budget | undefined = this; node; node = node.#parent) {
      if (node.#heldBytes + bytes > node.limitBytes) return false
    }
    return true
  }

  take(bytes: number): void {
    for (let node: Budget | undefined = this; node; node = node.#parent) node.#heldBytes += bytes
  }

  release(bytes: number): void {
    for (let node: Budget | undefined = this; node; node = node.#parent) {
      node.#heldBytes -= bytes
    }
  }
}
