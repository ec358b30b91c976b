// Which positions of a log were found while its files were read in order, and which were not.
import type { Position } from '../../log.ts'
import type { EntryHead } from './record.ts'

/** Positions from `from` to before `to` were not found. */
export interface Gap {
  readonly from: Position
  to: Position
  /** Where that was noticed. */
  readonly file: string
  readonly offset: number
  /** There were too many to tell them apart: some between were found. */
  isRough: boolean
}

export interface End {
  readonly position: Position
  /** Epoch milliseconds. */
  readonly arrivedAt: number
}

const MOST_GAPS = 1_000

export class Coverage {
  entries = 0
  bytes = 0
  first: End | undefined
  last: End | undefined
  readonly gaps: Gap[] = []
  /** All before it was found, or is in `gaps`. */
  #next: Position

  constructor(start: Position) {
    this.#next = start
  }

  get next(): Position {
    return this.#next
  }

  /** In order of positions; what comes again is the same entry in another file. */
  found({ position, bytes }: EntryHead, arrivedAt: number, file: string, offset: number): void {
    if (position < this.#next) return
    this.missUpTo(position, file, offset)
    this.#next = position + 1
    this.entries++
    this.bytes += bytes
    this.last = { position, arrivedAt }
    this.first ??= this.last
  }

  missUpTo(to: Position, file: string, offset: number): void {
    if (to <= this.#next) return
    const last = this.gaps.at(-1)
    if (last && this.gaps.length === MOST_GAPS) {
      last.isRough ||= last.to !== this.#next
      last.to = to
    } else {
      this.gaps.push({ from: this.#next, to, file, offset, isRough: false })
    }
    this.#next = to
  }
}
