// The list that `tidings tail` shows on a terminal: one row an event, with what became of it for each Trigger. What keys do,
// and what it looks like, without a terminal.
import type { TailLine } from '../runtime/tail.ts'
import { printable } from '../sink/format-event.ts'
import { formatDuration, timeOfDay } from './moments.ts'

export type TailAction =
  | { readonly kind: 'quit' }
  | { readonly kind: 'details' | 'resend' | 'open'; readonly id: string; readonly source: string }

export interface TailList {
  add(line: TailLine): void
  /** Lines that were missed, because this was slow. */
  missed(count: number): void
  /** What has to be done elsewhere. */
  press(key: string): TailAction | undefined
  /** Shows a text instead of the list, until a key is pressed. */
  show(text: string): void
  /** Says something in the last row. */
  say(text: string): void
  render(rows: number, columns: number): readonly string[]
}

/** Older events go. */
const MOST_EVENTS = 1_000

interface Row {
  readonly key: string
  readonly first: TailLine
  /** By Trigger, what became of it last. */
  readonly outcomes: Map<string, TailLine | undefined>
}

export function createTailList(title: string): TailList {
  const rows: Row[] = []
  const byKey = new Map<string, Row>()
  /** Of the selected row; undefined while it follows what comes. */
  let selected: string | undefined
  let top = 0
  let missing = 0
  let message = ''
  let page: { readonly text: string; top: number } | undefined
  let height = 1
  let width = 80

  const selectedAt = (): number =>
    selected === undefined ? rows.length - 1 : rows.findIndex(({ key }) => key === selected)

  function rowOf(line: TailLine): Row {
    const key = JSON.stringify([line.source, line.id])
    const known = byKey.get(key)
    if (known) return known
    const row: Row = { key, first: line, outcomes: new Map() }
    rows.push(row)
    byKey.set(key, row)
    if (rows.length > MOST_EVENTS) {
      const [oldest] = rows.splice(0, 1)
      if (oldest) byKey.delete(oldest.key)
      if (oldest?.key === selected) selected = rows[0]?.key
    }
    return row
  }

  function move(by: number): void {
    const at = Math.max(0, Math.min(rows.length - 1, selectedAt() + by))
    selected = at === rows.length - 1 ? undefined : rows[at]?.key
  }

  function pressInPage(shown: NonNullable<typeof page>, key: string): void {
    const most = Math.max(0, wrapped(shown.text, width).length - height)
    const by = MOVES[key]
    if (by === undefined) page = undefined
    else shown.top = Math.max(0, Math.min(most, shown.top + (Math.abs(by) > 1 ? Math.sign(by) * height : by)))
  }

  return {
    add(line) {
      const { outcomes } = rowOf(line)
      const isAttempt = line.to !== undefined
      for (const name of line.triggers)
        if (isAttempt || !outcomes.has(name)) outcomes.set(name, isAttempt ? line : undefined)
    },
    missed: (count) => {
      missing += count
    },
    press(key) {
      message = ''
      if (key === 'q') return { kind: 'quit' }
      if (page) {
        pressInPage(page, key)
        return undefined
      }
      const by = MOVES[key]
      if (by !== undefined) move(Math.abs(by) === PAGE ? Math.sign(by) * height : by)
      const row = rows[selectedAt()]
      const kind = ACTIONS[key]
      if (!row || !kind) return undefined
      selected = row.key // it stays in sight
      return { kind, id: row.first.id, source: row.first.source }
    },
    show(text) {
      page = { text: text.trimEnd(), top: 0 }
    },
    say(text) {
      message = text
    },
    render(all, columns) {
      height = Math.max(1, all - 2)
      width = Math.max(20, columns)
      const lost = missing === 0 ? '' : `   ${missing} lines missed`
      const head = `${title}   ${rows.length} events${lost}`
      if (page) {
        const shown = wrapped(page.text, width).slice(page.top, page.top + height)
        return [head, ...padded(shown, height), message || PAGE_HELP]
      }
      const at = selectedAt()
      top = Math.max(Math.min(top, at), at - height + 1, 0)
      const shown = rows.slice(top, top + height).map((row, i) => rowText(row, top + i === at, columns))
      const follows = selected === undefined ? '' : 'end: follow   '
      return [head, ...padded(shown, height), message || `${follows}${HELP}`]
    },
  }
}

const PAGE = 1_000_000
const END = 1_000_000_000
const MOVES: Readonly<Record<string, number>> = {
  up: -1,
  k: -1,
  down: 1,
  j: 1,
  pageup: -PAGE,
  pagedown: PAGE,
  home: -END,
  g: -END,
  end: END,
  G: END,
}
const ACTIONS: Readonly<Record<string, 'details' | 'resend' | 'open'>> = { return: 'details', r: 'resend', o: 'open' }
const HELP = 'up/down: move   return: details   r: send again   o: open   q: quit'
const PAGE_HELP = 'up/down: move   any other key: back   q: quit'

/** Lines that are too long go on below, a little further in. */
function wrapped(text: string, width: number): readonly string[] {
  return text.split('\n').flatMap((line) => {
    const pieces = [line.slice(0, width)]
    for (let at = width; at < line.length; at += width - INDENT.length) {
      pieces.push(INDENT + line.slice(at, at + width - INDENT.length))
    }
    return pieces
  })
}

const INDENT = '      '

function padded(lines: readonly string[], height: number): readonly string[] {
  return [...lines, ...Array.from({ length: height - lines.length }, () => '')]
}

function rowText({ first, outcomes }: Row, isSelected: boolean, columns: number): string {
  const results = [...outcomes].map(([name, line]) => resultText(name, line)).join('  ') || 'no trigger matches'
  const about = `${isSelected ? '>' : ' '} ${timeOfDay(first.at)}  ${first.type}  ${first.source}  ${first.id}  `
  const text = printable(about + results).replaceAll('\n', ' ')
  return text.length > columns ? `${text.slice(0, Math.max(0, columns - 1))}…` : text
}

const MARKS = { delivered: 'ok', failed: 'failed', 'dead-lettered': 'dead letter', kept: 'kept' } as const

function resultText(name: string, line: TailLine | undefined): string {
  if (!line) return `${name}: ...`
  const mark = MARKS[line.outcome as keyof typeof MARKS] ?? line.outcome
  const status = line.status === undefined ? '' : ` ${line.status}`
  const ms = line.ms === undefined ? '' : ` ${formatDuration(line.ms)}`
  const again = line.retryInMs === undefined ? '' : `, again in ${formatDuration(line.retryInMs)}`
  return `${name}: ${mark}${status}${ms}${again}`
}
