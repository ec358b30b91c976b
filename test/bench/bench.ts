// `npm run bench`: what an event costs in the built program, against the least it could cost on the same machine in the
// same minutes. Each part is a file that starts its own processes; stats.ts and report.ts say how limits are judged.
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises'
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { reasonAgainst } from '../support/servers/there.ts'
import { diskBacklog } from './disk-backlog.ts'
import { diskCost, diskRate } from './disk-cost.ts'
import { diskLatency } from './disk-latency.ts'
import { endToEnd } from './e2e.ts'
import { explain } from './explain.ts'
import { fanOut } from './fan-out.ts'
import { kafkaBacklog } from './kafka-backlog.ts'
import { kafkaCost } from './kafka-cost.ts'
import { kafkaSize } from './kafka-size.ts'
import { kafkaTriggers } from './kafka-triggers.ts'
import { latency } from './latency.ts'
import { memory } from './memory.ts'
import { overload } from './overload.ts'
import type { LedgerLine, Part } from './part.ts'
import { createFleet } from './processes.ts'
import { formatLedger, formatRows, type Row } from './report.ts'
import { DECIDING_ROUNDS, USUAL_ROUNDS } from './rounds.ts'
import { sizes } from './sizes.ts'
import { manyTriggers } from './triggers.ts'

/** What `npm run bench` runs: events are kept in memory. */
const USUAL: readonly Part[] = [endToEnd, manyTriggers, fanOut, sizes, latency, memory, overload]
/** By themselves, as each of the three takes minutes. */
const DISK: readonly Part[] = [diskCost, diskRate, diskLatency, diskBacklog]
const KAFKA: readonly Part[] = [kafkaCost, kafkaTriggers, kafkaBacklog, kafkaSize]
const PARTS: readonly Part[] = [...USUAL, ...DISK, ...KAFKA, explain]
const GROUPS: Readonly<Record<string, readonly Part[]>> = { usual: USUAL, disk: DISK, kafka: KAFKA, all: PARTS }

const USAGE = `npm run bench -- [PART ...] [--rounds N] [--profile FOLDER]

  PART       what to run, \`usual\` unless given:
${partLines(USUAL)}
               usual          all of these
${partLines(DISK)}
               disk           the four of the log on disk
${partLines(KAFKA)}
               kafka          the four of the log in Kafka
${partLines([explain])}
               all            everything
  --only     PART,PART: the same
  --rounds   alternating rounds, ${USUAL_ROUNDS} unless given; fewer than ${DECIDING_ROUNDS} do not decide
  --profile  writes a CPU profile of each program under measure into the folder
`

process.exitCode = await run()

async function run(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      only: { type: 'string' },
      rounds: { type: 'string', default: String(USUAL_ROUNDS) },
      profile: { type: 'string' },
      help: { type: 'boolean' },
    },
  })
  const rounds = Number(values.rounds)
  const named = [...positionals, ...(values.only?.split(',') ?? [])]
  const wanted = named.length === 0 ? USUAL : named.flatMap(partsCalled)
  const unknown = named.filter((name) => partsCalled(name).length === 0)
  if (values.help || unknown.length > 0 || !Number.isInteger(rounds) || rounds < 1) {
    process.stderr.write(USAGE)
    return values.help ? 0 : 1
  }
  const nodeFlags = values.profile === undefined ? [] : ['--cpu-prof', '--cpu-prof-dir', path.resolve(values.profile)]
  return runParts(
    PARTS.filter((part) => wanted.includes(part)),
    rounds,
    nodeFlags,
  )
}

function partsCalled(name: string): readonly Part[] {
  return GROUPS[name] ?? PARTS.filter((part) => part.name === name)
}

function partLines(parts: readonly Part[]): string {
  return parts.map(({ name, about }) => `               ${name.padEnd(14)} ${about}`).join('\n')
}

function reasonToSkip({ needs }: Part): string | undefined {
  return needs === undefined ? undefined : reasonAgainst(needs)
}

/** So that no row is missing in silence. */
function leftOut(wanted: readonly Part[]): readonly string[] {
  const unasked = PARTS.filter((part) => !wanted.includes(part)).map(({ name }) => name)
  const skipped = PARTS.flatMap((part) => {
    const reason = reasonToSkip(part)
    return reason === undefined ? [] : [`SKIPPED: ${part.name}: ${reason}`]
  })
  return [...(unasked.length > 0 ? [`not asked for: ${unasked.join(', ')}`] : []), ...skipped]
}

/** Among the other temporary files, unless those are elsewhere: in memory, a sync costs nothing. */
async function makeFolder(): Promise<string> {
  const [checkout, temporary] = [process.cwd(), tmpdir()]
  if ((await stat(temporary)).dev === (await stat(checkout)).dev) return mkdtemp(path.join(temporary, 'tidings-bench-'))
  const parent = path.join(checkout, '.cache')
  await mkdir(parent, { recursive: true })
  return mkdtemp(path.join(parent, 'tidings-bench-'))
}

async function runParts(parts: readonly Part[], rounds: number, nodeFlags: readonly string[]): Promise<number> {
  const startedAt = performance.now()
  const [loadBefore = 0] = loadavg()
  const folder = await makeFolder()
  const fleet = createFleet()
  const end = async (): Promise<void> => {
    await fleet.stop()
    await rm(folder, { recursive: true })
  }
  // What a part leaves may be gigabytes.
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void end().finally(() => process.exit(1)))
  const rows: Row[] = []
  const ledger: LedgerLine[] = []
  const told: string[] = []
  try {
    for (const part of parts) {
      if (reasonToSkip(part) !== undefined) continue
      process.stderr.write(`${part.name}: ${part.about}\n`)
      const result = await part.run({ fleet, rounds, folder, nodeFlags })
      rows.push(...result.rows)
      ledger.push(...result.ledger)
      told.push(...(result.notes ?? []))
      await fleet.stop()
    }
  } finally {
    await end()
  }
  const unbalanced = ledger.filter(({ lost }) => lost !== 0)
  const failed = rows.filter(({ verdict }) => verdict === 'FAILED')
  const decides = rounds >= DECIDING_ROUNDS
  const notes = [
    `${rounds} rounds${decides ? '' : `: a quick look, which does not decide (${DECIDING_ROUNDS} rounds do)`}`,
    `costs are CPU time per event of the server process, medians of the rounds; intervals by bootstrap`,
    `node ${process.version}, ${availableParallelism()} cores (${cpus()[0]?.model ?? 'unknown'}), ${fleet.pinning}`,
    `load average before it began ${loadBefore.toFixed(2)}: ratios lean on a machine that does nothing else`,
    ...told,
    ...leftOut(parts),
    `took ${Math.round((performance.now() - startedAt) / 1_000)} s`,
    ...failed.map(({ name, value, must }) => `FAILED: ${name}: ${value}, must be ${must}`),
    ...unbalanced.map(({ name, lost }) => `FAILED: ${name}: ${lost} accepted deliveries are lost`),
  ]
  process.stdout.write(`${formatRows(rows)}\n\n${formatLedger(ledger)}\n\n${notes.join('\n')}\n`)
  return decides && failed.length + unbalanced.length > 0 ? 1 : 0
}
