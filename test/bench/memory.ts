// What the program takes before the first event: memory and time to start, and heap for each trigger that is idle.
import { fileURLToPath } from 'node:url'
import type { Context, Part } from './part.ts'
import { type Program, startProgram } from './program.ts'
import { heapSchema } from './protocol.ts'
import { kibibytes, mebibytes, milliseconds, row } from './report.ts'
import { inRounds } from './rounds.ts'

const MANY = 10_000
const MIB = 2 ** 20
const KIB = 2 ** 10
const IMPORTS = fileURLToPath(new URL('imports.mjs', import.meta.url))
/** No trigger of this part is ever called. */
const NOBODY = 'http://127.0.0.1:9'

export const memory: Part = {
  name: 'memory',
  about: 'RSS and time to start, heap of idle triggers',
  async run(context) {
    const startBoth = async () => ({ imports: await rssOfImports(context), ...(await startOnce(context)) })
    const starts = await inRounds(context.rounds, startBoth)
    const many = await startIdle(context, MANY)
    const manyHeap = await many.process.collectedHeapBytes()
    const { rssBytes: manyRss } = await many.process.usage()
    const none = await startIdle(context, 0)
    const heapPerTrigger = (manyHeap - (await none.process.collectedHeapBytes())) / MANY
    const routing = await context.fleet.startScript('heap.ts', { triggers: MANY }, heapSchema, {
      core: 'anywhere',
      nodeFlags: ['--expose-gc'],
    })
    return {
      rows: [
        row(
          'RSS after start',
          starts.map(({ rss }) => rss),
          mebibytes,
        ),
        row(
          'RSS after start, less that of the imports',
          starts.map(({ rss, imports }) => rss - imports),
          mebibytes,
          {
            must: 25 * MIB,
          },
        ),
        row(
          'ready after the start of the process',
          starts.map(({ readyMs }) => readyMs),
          milliseconds,
          {
            must: 1_000,
          },
        ),
        row('ready with 10,000 triggers', [many.readyMs], milliseconds),
        row('RSS with 10,000 idle triggers, collected', [manyRss], mebibytes),
        row('heap of an idle trigger: routing and cursor', [routing.greeting.bytesPerTrigger], kibibytes, {
          must: 2 * KIB,
        }),
        row('heap of an idle trigger: all', [heapPerTrigger], kibibytes, { must: 8 * KIB }),
      ],
      ledger: [],
    }
  },
}

async function startOnce(context: Context): Promise<{ readonly rss: number; readonly readyMs: number }> {
  const triggers = { total: 1, matching: 0 }
  const program = await startProgram(context, NOBODY, { name: 'start', triggers, core: 'anywhere' })
  await fetch(`${program.adminUrl}/readyz`)
  const { rssBytes } = await program.process.usage()
  await program.process.stop()
  return { rss: rssBytes, readyMs: program.readyMs }
}

async function rssOfImports({ fleet }: Context): Promise<number> {
  const imports = fleet.start([IMPORTS], { core: 'anywhere' })
  const [, adminUrl] = await imports.printed(/admin +(http:\S+)/)
  await fetch(`${adminUrl}/readyz`)
  const { rssBytes } = await imports.usage()
  await imports.stop()
  return rssBytes
}

function startIdle(context: Context, total: number): Promise<Program> {
  return startProgram(context, NOBODY, {
    name: `idle-${total}`,
    triggers: { total, matching: 0 },
    core: 'anywhere',
    nodeFlags: ['--expose-gc'],
  })
}
