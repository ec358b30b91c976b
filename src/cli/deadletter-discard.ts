import { askServer, fieldsOf, LONG_TIMEOUT_MS } from './admin-client.ts'
import { type Command, isJsonWanted } from './command.ts'
import { events, letterOrder, noneMeant, ORDER_OPTIONS, orderUsage } from './letter-orders.ts'

export const deadletterDiscard: Command = {
  usage: `tidings deadletter discard (--trigger NAME | --broker NAME | --type TYPE | --code N | --id ID | --all) ...

Takes events that nobody took out of the dead-letter log: they are gone, undelivered.

${orderUsage()}`,
  options: ORDER_OPTIONS,
  async run(args, io) {
    const isJson = isJsonWanted(args)
    const order = letterOrder('deadletter discard', args)
    const path = '/tidings/v1/deadletters/discard'
    const answer = await askServer(args, io, path, { method: 'POST', body: order, timeoutMs: LONG_TIMEOUT_MS })
    const found = fieldsOf(answer, 'a count')
    const discarded = Number(found['discarded'])
    if (isJson) io.out(`${JSON.stringify(found)}\n`)
    else if (discarded === 0) io.out(noneMeant(order))
    else io.out(order.dryRun ? rehearsed(discarded) : `discarded ${events(discarded)}\n`)
    return 0
  },
}

function rehearsed(count: number): string {
  return `would discard ${events(count)}\nNothing was done: run it again without --dry-run.\n`
}
