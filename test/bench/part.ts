// What a part of the bench is given, and what it gives back.
import type { Server } from '../support/servers/there.ts'
import type { Fleet } from './processes.ts'
import type { Row } from './report.ts'

export interface Context {
  /** Stopped by the bench when the part is over. */
  readonly fleet: Fleet
  readonly rounds: number
  /** On the disk that the checkout is on. Deleted when the bench is over. */
  readonly folder: string
  /** For the program under measure. */
  readonly nodeFlags: readonly string[]
}

/** All counts are events, or copies of them where several triggers match. */
export interface LedgerLine {
  readonly name: string
  /** Answered with 202. */
  readonly accepted: number
  /** Answered otherwise, or not at all. */
  readonly refused: number
  /** Copies that the accepted events are owed. */
  readonly due: number
  readonly delivered: number
  readonly duplicates: number
  readonly waiting: number
  readonly deadLettered: number
  /**
   * Due, and neither delivered nor waiting nor dead-lettered. Below 0, more came than was accepted: an answer was lost, or
   * the bench has miscounted, and its figures are worth nothing.
   */
  readonly lost: number
}

export interface PartResult {
  readonly rows: readonly Row[]
  readonly ledger: readonly LedgerLine[]
  /** How its figures came about, where that is not plain from their names. */
  readonly notes?: readonly string[]
}

export interface Part {
  readonly name: string
  readonly about: string
  /** Without it the part is skipped. */
  readonly needs?: Server
  run(context: Context): Promise<PartResult>
}
