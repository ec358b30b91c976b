// What is in a data directory and what is wrong with it, in words and as JSON.
import type { Finding } from '../channel/backends/disk/findings.ts'
import type { LogReport, Report } from '../channel/backends/disk/report.ts'
import { printable } from '../sink/format-event.ts'
import { keysByUid } from '../store/uids.ts'
import { bytesText } from './bytes.ts'
import { formatTable } from './table.ts'

export function formatReport(report: Report): string {
  const { logs, notes } = report
  const cursors = logs.flatMap((log) => log.cursors.map((cursor) => ({ log, cursor })))
  const nameOf = namesOf(report)
  const parts = [
    headWords(report),
    ...(logs.length > 0 ? [formatTable(LOG_HEADER, logs.map(logRow))] : []),
    ...(cursors.length > 0
      ? [
          formatTable(
            ['CURSOR', 'LOG', 'FLOOR', 'NEXT', 'UNSETTLED', 'BEHIND'],
            cursors.map(({ log, cursor: { id, floor, next, unsettled, behind } }) => [
              nameOf(id),
              oneLine(log.name),
              ...[floor, next, unsettled, behind].map(String),
            ]),
          ),
        ]
      : []),
    ...(notes.length > 0 ? [`Nothing is missing because of these:\n${notes.map(findingLine).join('')}`] : []),
    formatProblems(report),
  ]
  return parts.join('\n')
}

/** One line for each problem, and what to do after those that have it in common. */
export function formatProblems({ problems, unlisted }: Pick<Report, 'problems' | 'unlisted'>): string {
  if (problems.length === 0) return 'Nothing that was acknowledged is missing.\n'
  const lines = problems.map((problem, at) => {
    const isLast = problems[at + 1]?.next !== problem.next
    return `${findingLine(problem)}${isLast ? `  ${problem.next}\n` : ''}`
  })
  const more = unlisted > 0 ? `and ${unlisted} more\n` : ''
  return `What was acknowledged may be missing:\n${lines.join('')}${more}`
}

export function reportJson(report: Report): string {
  const { dir, checkpoint, journal, backlog, locks, values, logs, problems, notes, unlisted } = report
  const keys = keysByUid(values)
  const told = {
    dir,
    checkpoint,
    journal,
    backlog,
    locks,
    values: values.size,
    logs: logs.map(({ first, last, cursors, ...log }) => ({
      ...log,
      first: endJson(first),
      last: endJson(last),
      cursors: cursors.map((cursor) => ({ resource: keys.get(cursor.id), ...cursor })),
    })),
    problems,
    notes,
    unlisted,
  }
  return `${JSON.stringify(told, undefined, 2)}\n`
}

/** RFC 3339, as long as the time is one that a calendar has. */
export function timeText(ms: number): string {
  return ms <= 8.64e15 ? new Date(ms).toISOString() : String(ms)
}

const LOG_HEADER = ['LOG', 'ENTRIES', 'BYTES', 'FIRST', 'ARRIVED', 'LAST', 'ARRIVED', 'BASE']

function logRow({ name, entries, bytes, first, last, base }: LogReport): string[] {
  const ends = [first, last].flatMap((end) => (end ? [String(end.position), timeText(end.arrivedAt)] : ['-', '-']))
  return [name, String(entries), bytesText(bytes), ...ends, String(base)].map(oneLine)
}

function headWords(report: Report): string {
  const { dir, checkpoint, journal, problems, locks } = report
  const isReadable = checkpoint !== undefined || journal.files > 0 || problems.length === 0
  const words = isReadable ? fileWords(report) : `${oneLine(dir)}: nothing can be said of what is in it`
  return `${words}\n${locks.length > 0 ? `In use, or left so by a crash: ${oneLine(locks.join(', '))}\n` : ''}`
}

function fileWords({ dir, checkpoint, journal, backlog, values }: Report): string {
  const files = (what: string, { files: count, bytes }: Report['journal']): string =>
    `${count} ${what} ${count === 1 ? 'file' : 'files'} of ${bytesText(bytes)}`
  const format = checkpoint ? `format ${checkpoint.version}` : 'no checkpoint'
  const kept = values.size === 1 ? '1 value' : `${values.size} values`
  return `${oneLine(dir)}: ${format}, ${files('journal', journal)}, ${files('backlog', backlog)}, ${kept}`
}

/** Names of those whose uids a directory knows; others keep their ids. */
function namesOf({ values }: Report): (id: string) => string {
  const keys = keysByUid(values)
  return (id) => {
    const [, kind, namespace, name] = keys.get(id)?.split('/') ?? []
    return oneLine(name === undefined ? id : `${kind} ${namespace}/${name}`)
  }
}

function findingLine({ file, offset, what }: Finding): string {
  return `  ${oneLine(`${file}:${offset}: ${what}`)}\n`
}

function endJson(end: LogReport['first']): unknown {
  return end && { position: end.position, arrivedAt: timeText(end.arrivedAt) }
}

export function oneLine(text: string): string {
  return printable(text).replaceAll(/[\n\t]/g, ' ')
}
