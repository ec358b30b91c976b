// What Brokers in Kafka take while nothing happens: connections, memory, and CPU time.
import { startNode, useOf } from './kafka.ts'
import type { Context, Part } from './part.ts'
import { type Program, startProgram } from './program.ts'
import { connections, mebibytes, row, share } from './report.ts'
import { inRounds } from './rounds.ts'

const MANY = 20
/** Starts take seconds, and differ little. */
const STARTS = 5
/** A log that was just opened asks more often. */
const CALM_MS = 5_000
const WINDOW_MS = 3_000
/** No trigger of this part is ever called. */
const NOBODY = 'http://127.0.0.1:9'

export const kafkaSize: Part = {
  name: 'kafka-size',
  about: `1 and ${MANY} idle brokers in Kafka: connections, RSS, CPU`,
  needs: 'own kafka',
  async run(context) {
    const kafka = await startNode(context.fleet)
    const memory = (): Promise<Idle> => idleOf(context, { name: 'memory-idle', brokers: 1 })
    const inKafka = (brokers: number) => async (): Promise<Idle & { readonly connections: number }> => {
      const { brokers: servers } = kafka
      const idle = await idleOf(context, { name: `kafka-idle-${brokers}`, brokers, kafka: servers })
      return { ...idle, connections: useOf(idle.usage, kafka).connections }
    }
    const [one, many] = [inKafka(1), inKafka(MANY)]
    const samples = await inRounds(Math.min(STARTS, context.rounds), async () => ({
      memory: await memory(),
      one: await one(),
      many: await many(),
    }))
    const of = (value: (sample: (typeof samples)[number]) => number): number[] => samples.map(value)
    const perBroker = (value: (idle: Idle) => number): number[] =>
      of(({ one, many }) => (value(many) - value(one)) / (MANY - 1))
    return {
      rows: [
        row(
          'kafka: connections of an idle broker',
          of(({ one }) => one.connections),
          connections,
        ),
        row(
          `kafka: connections of ${MANY} idle brokers`,
          of(({ many }) => many.connections),
          connections,
        ),
        row(
          'memory: RSS with an idle broker, collected',
          of(({ memory }) => memory.usage.rssBytes),
          mebibytes,
        ),
        row(
          'kafka: RSS with an idle broker, collected',
          of(({ one }) => one.usage.rssBytes),
          mebibytes,
        ),
        row(
          `kafka: RSS with ${MANY} idle brokers, collected`,
          of(({ many }) => many.usage.rssBytes),
          mebibytes,
        ),
        row(
          'kafka: RSS of each further broker',
          perBroker(({ usage }) => usage.rssBytes),
          mebibytes,
        ),
        row(
          'kafka: heap of each further broker',
          perBroker(({ usage }) => usage.heapBytes),
          mebibytes,
        ),
        row(
          'kafka: CPU of an idle broker, of a core',
          of(({ one }) => one.cpuShare),
          share,
        ),
        row(
          `kafka: CPU of ${MANY} idle brokers, of a core`,
          of(({ many }) => many.cpuShare),
          share,
        ),
      ],
      ledger: [],
    }
  },
}

interface Idle {
  readonly usage: Awaited<ReturnType<Program['process']['usage']>>
  readonly cpuShare: number
}

interface Started {
  readonly name: string
  readonly brokers: number
  readonly kafka?: readonly string[]
}

async function idleOf(context: Context, started: Started): Promise<Idle> {
  const { process } = await startProgram(context, NOBODY, {
    ...started,
    triggers: { total: 1, matching: 0 },
    core: 'anywhere',
    nodeFlags: ['--expose-gc'],
  })
  await sleep(CALM_MS)
  const { cpuUs } = await process.usage()
  const startedAt = performance.now()
  await sleep(WINDOW_MS)
  const cpuMs = ((await process.usage()).cpuUs - cpuUs) / 1_000
  const cpuShare = cpuMs / (performance.now() - startedAt)
  await process.collectedHeapBytes()
  const usage = await process.usage()
  await process.stop()
  return { usage, cpuShare }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
