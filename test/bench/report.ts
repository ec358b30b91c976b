// The table of the bench: rows with their limits and verdicts, and the ledger below it.
import type { LedgerLine } from './part.ts'
import { type Interval, median, medianInterval } from './stats.ts'

/** `must` decides, `aim` is only told. */
export interface Limits {
  readonly must?: number
  readonly aim?: number
  /** They are what has to be reached. Unless said so they must not be passed. */
  readonly isLeast?: boolean
}

export type Verdict = 'FAILED' | 'unclear' | 'must met' | 'aim met' | ''

export interface Row {
  readonly name: string
  readonly value: string
  readonly must: string
  readonly aim: string
  readonly interval: string
  readonly verdict: Verdict
}

/** How a unit is written. */
export type Format = (value: number) => string

export const times: Format = (value) => `${value.toFixed(2)} x`
export const share: Format = (value) => `${(value * 100).toFixed(value < 0.1 ? 1 : 0)} %`
export const microseconds: Format = (value) => `${value.toFixed(value < 10 ? 2 : 1)} µs`
export const milliseconds: Format = (value) => `${value.toFixed(value < 10 ? 2 : 0)} ms`
export const mebibytes: Format = (bytes) => `${(bytes / 2 ** 20).toFixed(1)} MiB`
export const kibibytes: Format = (bytes) => `${(bytes / 2 ** 10).toFixed(2)} KiB`
export const connections: Format = (count) => `${count.toFixed(0)}`
export const perSecond: Format = (rate) => `${Math.round(rate)} /s`

/** A row of the median of its samples, one a round; a single sample has no interval. */
export function row(name: string, samples: readonly number[], format: Format, limits: Limits = {}): Row {
  const value = median(samples)
  const interval = medianInterval(samples)
  const told = (limit: number | undefined): string =>
    limit === undefined ? '' : `${limits.isLeast ? '>= ' : ''}${format(limit)}`
  return {
    name,
    value: format(value),
    must: told(limits.must),
    aim: told(limits.aim),
    interval: samples.length > 1 ? `${format(interval.low)} .. ${format(interval.high)}` : '',
    verdict: verdictOf(value, interval, limits),
  }
}

/** A row of something that holds or does not. */
export function claim(name: string, value: string, holds: boolean): Row {
  return { name, value, must: 'yes', aim: '', interval: '', verdict: holds ? 'must met' : 'FAILED' }
}

/** A limit fails when the whole interval is beyond it. Between the two the rounds do not tell. */
function verdictOf(value: number, { low, high }: Interval, { must, aim, isLeast = false }: Limits): Verdict {
  if (must !== undefined && (isLeast ? high < must : low > must)) return 'FAILED'
  const isMet = (limit: number): boolean => (isLeast ? value >= limit : value <= limit)
  if (aim !== undefined && isMet(aim)) return 'aim met'
  if (must === undefined) return ''
  return isMet(must) ? 'must met' : 'unclear'
}

type Column = readonly [title: string, width: number]

const ROW_COLUMNS: readonly Column[] = [
  ['row', 49],
  ['value', 11],
  ['must', 11],
  ['aim', 8],
  ['90 % interval', 24],
  ['verdict', 8],
]

const LEDGER_COLUMNS: readonly Column[] = [
  ['ledger', 25],
  ['accepted', 9],
  ['refused', 9],
  ['due', 9],
  ['delivered', 10],
  ['duplicates', 10],
  ['waiting', 9],
  ['dead-lettered', 13],
  ['lost', 8],
]

export function formatRows(rows: readonly Row[]): string {
  const cells = rows.map(({ name, value, must, aim, interval, verdict }) => [name, value, must, aim, interval, verdict])
  return table(ROW_COLUMNS, cells)
}

export function formatLedger(lines: readonly LedgerLine[]): string {
  const cells = lines.map((line) => [
    line.name,
    ...[line.accepted, line.refused, line.due, line.delivered, line.duplicates, line.waiting].map(String),
    ...[line.deadLettered, line.lost].map(String),
  ])
  return table(LEDGER_COLUMNS, cells)
}

/** The first column is text and the last is read beside it; numbers between them end in line. */
function table(columns: readonly Column[], lines: readonly (readonly string[])[]): string {
  const format = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => {
        const width = columns[i]?.[1] ?? 0
        return i === 0 ? cell.padEnd(width) : cell.padStart(width)
      })
      .join(' ')
      .trimEnd()
  const rule = '-'.repeat(columns.reduce((sum, [, width]) => sum + width + 1, -1))
  return [format(columns.map(([title]) => title)), rule, ...lines.map(format)].join('\n')
}
