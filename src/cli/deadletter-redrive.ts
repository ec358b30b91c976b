import type { Redriven } from '../runtime/dead-letters.ts'
import { printable } from '../sink/format-event.ts'
import { askServer, fieldsOf, LONG_TIMEOUT_MS, unexpected } from './admin-client.ts'
import { type Arguments, type Command, type Io, isJsonWanted } from './command.ts'
import { events, type LetterOrder, letterOrder, noneMeant, ORDER_OPTIONS, orderUsage } from './letter-orders.ts'
import { fetchHeld } from './reruns.ts'
import { titleOf } from './resources.ts'
import { RATE_OPTION, RATE_USAGE, rateFlag } from './time-flags.ts'

const PATH = '/tidings/v1/deadletters/redrive'

export const deadletterRedrive: Command = {
  usage: `tidings deadletter redrive (--trigger NAME | --broker NAME | --type TYPE | --code N | --id ID | --all) ...

Delivers events that nobody took once more: each as it was, to the Trigger, Subscription or source that it failed for and
to nobody else. Those that are taken leave the dead-letter log, those that fail again stay in it.

${orderUsage(RATE_USAGE)}`,
  options: { ...ORDER_OPTIONS, ...RATE_OPTION },
  async run(args, io) {
    const isJson = isJsonWanted(args)
    const order = letterOrder('deadletter redrive', args)
    const redriven = await redrive(args, io, order)
    if (isJson) io.out(`${JSON.stringify({ redriven }, undefined, 2)}\n`)
    else if (redriven.length === 0) io.out(noneMeant(order))
    else io.out(printable(`${formatRedriven(redriven, order)}${await fetchHeld(args, io, idsOf(redriven))}`))
    const failed = redriven.filter(({ error }) => error !== null)
    io.err(printable(failed.map(formatFailed).join('')))
    return failed.length === 0 ? 0 : 1
  },
}

async function redrive(args: Arguments, io: Io, order: LetterOrder): Promise<readonly Redriven[]> {
  const ratePerSecond = rateFlag(args)
  const body = { ...order, ...(ratePerSecond !== undefined && { ratePerSecond }) }
  const answer = await askServer(args, io, PATH, { method: 'POST', body, timeoutMs: LONG_TIMEOUT_MS })
  const { redriven } = fieldsOf(answer, 'a list of redrives')
  if (!Array.isArray(redriven)) throw unexpected(answer, 'a list of redrives')
  return redriven
}

function formatRedriven(redriven: readonly Redriven[], { dryRun }: LetterOrder): string {
  if (dryRun) {
    const can = redriven.filter(({ error }) => error === null)
    const lines = can.map(({ count, reader }) => `would redrive ${events(count)} for ${titleOf(reader)}\n`)
    return `${lines.join('')}Nothing was done: run it again without --dry-run.\n`
  }
  const begun = redriven.filter(({ id }) => id !== null)
  const [first] = begun
  if (!first) return ''
  const lines = begun.map(
    ({ id, count, reader }) => `redrive ${id} has begun: ${events(count)} for ${titleOf(reader)}\n`,
  )
  return `${lines.join('')}How far it is: tidings status   To end it: tidings cancel ${first.id}\n`
}

function idsOf(redriven: readonly Redriven[]): readonly string[] {
  return redriven.flatMap(({ id }) => id ?? [])
}

function formatFailed({ count, reader, error }: Redriven): string {
  return `not redriven: ${events(count)} for ${titleOf(reader)}: ${error}\n`
}
