// The one node that all tests of a run share, each with topics of its own. Started when it is first asked for.
import { type Kafka, startKafka } from './kafka.ts'

let started: Promise<Kafka> | undefined

/** Those of KAFKA_BROKERS, if it is set. */
export async function sharedBrokers(): Promise<readonly string[]> {
  const given = process.env['KAFKA_BROKERS']
  if (given) return given.split(',').map((broker) => broker.trim())
  started ??= startKafka()
  return (await started).brokers
}

// Of the root suite, because this file is loaded outside of any `describe`.
after(async () => {
  const kafka = await started?.catch(() => undefined)
  await kafka?.[Symbol.asyncDispose]()
})
