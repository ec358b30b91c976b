// Processes of one installation come and go under load, as when a Deployment is scaled: one, then three, then two.
import assert from 'node:assert/strict'
import { eventually } from '../../support/eventually.ts'
import { longMark, roundsOf } from '../../support/long.ts'
import { sharedBrokers } from '../../support/servers/shared-kafka.ts'
import { itUsing } from '../../support/servers/there.ts'
import {
  assertInOrder,
  assertOneAtATime,
  type Change,
  calmGapMs,
  isExplained,
  missing,
  ofTrigger,
  pausesDuring,
  type Repeat,
  repeatsOf,
} from './deliveries.ts'
import {
  type Delivery,
  type Installation,
  LANES,
  openInstallation,
  type Publishers,
  SESSION_MS,
} from './installation.ts'

type Signal = 'SIGTERM' | 'SIGKILL'

/** Before each change, and after the last. */
const CALM_MS = 2_000
/** A save that is due once a second may wait for the machine, and for the server. */
const SAVED_WITHIN_MS = 2_500
const ROUNDS = roundsOf({ short: 1, long: 5 })

describe('processes of one installation', function () {
  this.timeout(90_000 + ROUNDS * 60_000)

  itUsing(['kafka'], `are one, three and, after SIGTERM, two: nothing is lost or repeated${longMark}`, async () => {
    const { repeats, storedTwice } = await comeAndGo('SIGTERM')

    assert.deepEqual([...repeats, ...storedTwice].map(inWords), [])
  })

  itUsing(
    ['kafka'],
    `are one, three and, after kill -9, two: what was in flight or settled last is repeated${longMark}`,
    async () => {
      const { repeats, changes } = await comeAndGo('SIGKILL')

      assert.deepEqual(repeats.filter((repeat) => !isExplained(repeat, changes, SAVED_WITHIN_MS)).map(inWords), [])
    },
  )
})

interface Outcome {
  readonly changes: readonly Change[]
  readonly repeats: readonly Repeat[]
  /** Repeats of what was sent again: who is killed may have stored an event and not said so. */
  readonly storedTwice: readonly Repeat[]
}

/** Fails when anything is lost or out of order; what was repeated is for the caller to judge. */
async function comeAndGo(signal: Signal): Promise<Outcome> {
  await using installation = await openInstallation(await sharedBrokers())
  const { deliveries } = installation
  try {
    await installation.start('p1')
    const publishers = installation.publish()
    const changes = await scale(installation, signal)
    await publishers.stop()
    await assertDelivered(publishers, deliveries)
    const all = repeatsOf(deliveries)
    const repeats = all.filter(({ again }) => !publishers.sentAgain.has(again.id))
    const storedTwice = all.filter(({ again }) => publishers.sentAgain.has(again.id))
    const { accepted, sentAgain } = publishers
    print(`${accepted.length} events, ${deliveries.length} deliveries, ${repeats.length} of them repeated;`)
    print(`${sentAgain.size} events were sent again, and delivered again ${storedTwice.length} times`)
    for (const change of changes) report(change, deliveries, repeats)
    return { changes, repeats, storedTwice }
  } catch (error) {
    console.error(installation.logged().slice(-4_000))
    throw error
  }
}

async function scale(installation: Installation, signal: Signal): Promise<readonly Change[]> {
  const changes: Change[] = []
  const change = async (title: string, killed: string | undefined, act: () => Promise<unknown>): Promise<void> => {
    await calm()
    const fromMs = performance.now()
    await act()
    await eventually(() => installation.isShared(), `${title}: each has its share of the lanes`, 40_000)
    changes.push({ title, fromMs, toMs: performance.now(), killed })
  }

  await eventually(() => installation.isShared(), 'one process has all lanes', 30_000)
  await change('1 -> 3', undefined, () => Promise.all([installation.start('p2'), installation.start('p3')]))
  for (let round = 0; round < ROUNDS; round++) {
    if (round > 0) await change('2 -> 3', undefined, () => installation.start(`p${round + 3}`))
    // The oldest one first, which shares the lanes out.
    const goes = installation.names[round % 3] ?? assert.fail()
    await change(`3 -> 2, ${signal}`, signal === 'SIGKILL' ? goes : undefined, async () => {
      const code = await installation.end(goes, signal)
      if (signal === 'SIGTERM') assert.equal(code, 0)
    })
  }
  await calm()
  return changes
}

async function assertDelivered({ accepted, sentAgain }: Publishers, deliveries: readonly Delivery[]): Promise<void> {
  for (const trigger of ['ordered', 'unordered']) {
    await eventually(() => missing(accepted, deliveries, trigger).length === 0, `all arrives, ${trigger}`, 30_000)
  }
  const known = new Set(accepted)
  assert.deepEqual(
    deliveries.filter(({ id }) => !known.has(id)),
    [],
  )
  assertInOrder(ofTrigger(deliveries, 'ordered'))
  assertOneAtATime(ofTrigger(deliveries, 'ordered'), ({ key }) => key)
  const storedOnce = ofTrigger(deliveries, 'unordered').filter(({ id }) => !sentAgain.has(id))
  assertOneAtATime(storedOnce, ({ id }) => id)
}

/** A lane whose process keeps it goes on while others change hands, also while the group waits for somebody who died. */
function report(change: Change, deliveries: readonly Delivery[], repeats: readonly Repeat[]): void {
  const { title, fromMs, toMs } = change
  const { keptLanes, keptMs, movedLanes, movedMs } = pausesDuring(deliveries, change, LANES)
  const calmMs = calmGapMs(deliveries, fromMs - CALM_MS, fromMs, LANES)
  const repeated = repeats.filter(({ again }) => again.atMs >= fromMs && again.atMs < toMs + CALM_MS).length
  print(`${title}, within ${Math.round(toMs - fromMs)} ms: ${repeated} repeated; the longest time without a delivery:`)
  print(
    `  ${keptMs} ms of ${keptLanes} lanes that were kept, ${movedMs} ms of ${movedLanes} others, ${calmMs} ms before`,
  )
  assert.ok(keptLanes > 0, `${title}: no lane was kept`)
  assert.ok(keptMs < SESSION_MS / 2, `${title}: a lane that was kept paused for ${keptMs} ms`)
}

function inWords({ first, again }: Repeat): string {
  const afterMs = Math.round(again.atMs - first.atMs)
  return `${again.trigger} ${again.id}, lane ${again.lane}: by ${first.by}, after ${afterMs} ms by ${again.by}`
}

function calm(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, CALM_MS))
}

function print(line: string): void {
  console.log(`      ${line}`)
}
