// Replays and redrives as `status` and `describe` show them: those that go on, and a few of those that ended.
import type { RerunStatus } from '../runtime/rerun-job.ts'
import { fetchStatus } from './admin-client.ts'
import type { Arguments, Io } from './command.ts'
import { titleOf } from './resources.ts'
import { formatTable } from './table.ts'

const MOST_ENDED = 5

/** Of those that have just begun, which hand out nothing for now; empty when all do. */
export async function fetchHeld(args: Arguments, io: Pick<Io, 'env'>, ids: readonly unknown[]): Promise<string> {
  if (ids.every((id) => typeof id !== 'string')) return ''
  const { reruns } = await fetchStatus(args, io)
  const held = reruns.filter((rerun) => ids.includes(rerun.id) && rerun.held !== null)
  return held.map(({ kind, id, held }) => `${kind} ${id} waits: ${held}\n`).join('')
}

export function formatReruns(reruns: readonly RerunStatus[]): string {
  const goingOn = reruns.filter(({ endedAt }) => endedAt === null)
  const ended = reruns.filter(({ endedAt }) => endedAt !== null).slice(0, MOST_ENDED)
  const header = ['REPLAY, REDRIVE', 'FOR', 'BEGAN', 'DELIVERED', 'DEAD-LETTERED', 'KEPT', 'LEFT', 'RATE', 'STATE']
  return formatTable(header, [...goingOn, ...ended].map(rerunRow))
}

function rerunRow(rerun: RerunStatus): string[] {
  const { kind, id, reader, startedAt, delivered, deadLettered, kept, unsettled, unread, ratePerSecond } = rerun
  const counts = [delivered, deadLettered, kept].map(String)
  // What is not read yet is more than it will have: a redrive's log has events of others.
  const left = unread === 0 ? String(unsettled) : `<= ${unsettled + unread}`
  const rate = ratePerSecond === null ? '-' : `${ratePerSecond}/s`
  return [`${kind} ${id}`, titleOf(reader), startedAt, ...counts, left, rate, stateOf(rerun)]
}

function stateOf({ held, endedAt, cancelled }: RerunStatus): string {
  if (cancelled !== null) return `cancelled at ${endedAt}: ${cancelled}`
  if (endedAt !== null) return `ended at ${endedAt}`
  return held === null ? 'goes on' : `waits: ${held}`
}
