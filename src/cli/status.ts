import type { DiskStatus, LogStatus, RuntimeStatus, SourceStatus, SubscriberStatus } from '../runtime/status.ts'
import { printable } from '../sink/format-event.ts'
import { fetchStatus, SERVER_OPTION, SERVER_USAGE } from './admin-client.ts'
import { type Command, isJsonWanted, JSON_OPTION, JSON_USAGE } from './command.ts'
import { formatReruns } from './reruns.ts'
import { formatTable } from './table.ts'

export const status: Command = {
  usage: `tidings status [-o json]

Per broker, channel, trigger, subscription and source: what came, what went, what waits, what fails. Exits with 1 if
anything fails.
  broker, channel:       accepted = unmatched + settled + waiting + expired
  trigger, subscription: matched = delivered + dead-lettered (to a sink) + kept (in the dead-letter log) + waiting
Counts begin with the server. What a trigger has not read is behind, whenever it came: <= 2 is at most two for it.
Beside them the replays and redrives that go on, and those that ended last.

${JSON_USAGE}${SERVER_USAGE}`,
  options: { ...SERVER_OPTION, ...JSON_OPTION },
  async run(args, io) {
    const isJson = isJsonWanted(args)
    const found = await fetchStatus(args, io)
    io.out(isJson ? `${JSON.stringify(found, undefined, 2)}\n` : printable(formatStatus(found)))
    return found.problems.length === 0 ? 0 : 1
  },
}

function formatStatus(found: RuntimeStatus): string {
  const { brokers, triggers, channels, subscriptions, sources, reruns, problems, backend, disk } = found
  const parts = [
    formatLogs('BROKER', brokers, backend),
    ...(triggers.length > 0 ? [formatSubscribers('TRIGGER', triggers)] : []),
    ...(channels.length > 0 ? [formatLogs('CHANNEL', channels, backend)] : []),
    ...(subscriptions.length > 0 ? [formatSubscribers('SUBSCRIPTION', subscriptions)] : []),
    ...(sources.length > 0 ? [formatSources(sources)] : []),
    ...(reruns.length > 0 ? [formatReruns(reruns)] : []),
    ...(disk ? [formatDisk(disk)] : []),
    problems.length === 0 ? 'Nothing fails.\n' : `Needs attention:\n${problems.map((each) => `  ${each}\n`).join('')}`,
  ]
  return parts.join('\n')
}

function formatLogs(what: string, logs: readonly LogStatus[], backend: string): string {
  const log = `LOG (${backend.toUpperCase()})`
  return formatTable(
    [what, 'ACCEPTED', 'UNMATCHED', 'SETTLED', 'WAITING', 'DEAD-LETTER LOG', log],
    logs.map((each) => logRow(each, backend)),
  )
}

function logRow(
  { namespace, name, accepted, unmatched, settled, waiting, deadLetters, log }: LogStatus,
  backend: string,
): string[] {
  // What is settled is in nobody's way.
  const held = log.bytes - log.retainedBytes
  const where = log.backend === backend ? '' : ` (${log.backend})`
  const full = `${Math.round((100 * held) / log.capBytes)} % of ${mib(log.capBytes)}${where}`
  return [`${namespace}/${name}`, ...[accepted, unmatched, settled, waiting, deadLetters.waiting].map(String), full]
}

function formatDisk({ dir, usedBytes, freeBytes }: DiskStatus): string {
  return formatTable(
    ['DATA DIRECTORY', 'USED', 'FREE'],
    [[dir, mib(usedBytes), freeBytes === null ? '-' : mib(freeBytes)]],
  )
}

function mib(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`
}

function formatSubscribers(what: string, subscribers: readonly SubscriberStatus[]): string {
  const rare = RARE.filter((count) => subscribers.some((each) => each[count] > 0))
  const header = [what, 'READY', 'MATCHED', 'DELIVERED', 'DEAD-LETTERED', 'KEPT', 'WAITING', 'BEHIND']
  return formatTable(
    [...header, ...rare.map((count) => count.toUpperCase()), 'OLDEST'],
    subscribers.map((each) => subscriberRow(each, rare)),
  )
}

/** What has a column only when there is some. */
const RARE = ['skipped', 'expired'] as const

function subscriberRow(subscriber: SubscriberStatus, rare: readonly (typeof RARE)[number][]): string[] {
  const { namespace, name, ready, paused, matched, delivered, deadLettered, kept, waiting } = subscriber
  const most = subscriber.behindIsExact || subscriber.behind === 0 ? '' : '<= '
  const rest = [`${most}${subscriber.behind}`, ...rare.map((count) => subscriber[count])]
  const counts = [matched, delivered, deadLettered, kept, waiting, ...rest]
  const state = paused ? `${ready} (paused)` : ready
  return [`${namespace}/${name}`, state, ...counts.map(String), subscriber.oldestWaiting ?? '-']
}

function formatSources(sources: readonly SourceStatus[]): string {
  const rare = RARE.filter((count) => sources.some((each) => each[count] > 0))
  const header = ['SOURCE', 'KIND', 'READY', 'EMITTED', 'DELIVERED', 'DEAD-LETTERED', 'KEPT', 'WAITING', 'MISSED']
  return formatTable(
    [...header, ...rare.map((count) => count.toUpperCase()), 'NEXT'],
    sources.map((each) => sourceRow(each, rare)),
  )
}

function sourceRow(source: SourceStatus, rare: readonly (typeof RARE)[number][]): string[] {
  const { namespace, name, kind, ready, matched, delivered, deadLettered, kept, waiting, missed, nextAt } = source
  const counts = [matched, delivered, deadLettered, kept, waiting, missed, ...rare.map((count) => source[count])]
  return [`${namespace}/${name}`, kind, ready, ...counts.map(String), nextAt ?? '-']
}
