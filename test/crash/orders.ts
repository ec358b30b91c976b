// What an operator asks for in the midst of a storm: dead letters redriven once their subscriber was mended, and events
// replayed. Both are told at a rate, so that kills come in the midst of them, and both must go on by themselves.
import assert from 'node:assert/strict'
import type { RerunStatus } from '../../src/runtime/rerun-job.ts'
import type { Server } from '../support/program.ts'
import type { Random } from '../support/random.ts'
import type { Ledger } from './ledger.ts'
import { MENDED, NAMESPACE, REPLAYED } from './readers.ts'

export interface Orders {
  /** Whether the subscriber that is mended now and then refuses what it gets. */
  readonly isBroken: boolean
  /** How many of each were begun, and how often a program was killed in the midst of one and its next one went on. */
  readonly redrives: number
  readonly replays: number
  readonly resumed: number
  /** A round begins. */
  begin(round: number): void
  /** Gives orders, if it is time for any. Rejects when the program is killed meanwhile. */
  give(server: Server): Promise<void>
  /** Those that go on. */
  running(server: Server): Promise<readonly string[]>
}

const ODDS = { mend: 2, replay: 4 } as const
const SLOWEST_PER_SECOND = 20
const FASTEST_PER_SECOND = 200
const MOST_ROUNDS_BACK = 4

export function openOrders(ledger: Ledger, random: Random): Orders {
  /** When each round began, epoch milliseconds. */
  const begunAt: number[] = []
  let isBroken = true
  let redrives = 0
  let replays = 0
  let resumed = 0

  async function running(server: Server): Promise<readonly string[]> {
    const { reruns } = await asked<{ reruns: readonly RerunStatus[] }>(server, '/tidings/v1/reruns')
    return reruns.filter(({ endedAt }) => endedAt === null).map(({ id, kind }) => `${kind} ${id}`)
  }

  function ratePerSecond(): number {
    return SLOWEST_PER_SECOND + random.int(FASTEST_PER_SECOND - SLOWEST_PER_SECOND)
  }

  async function redrive(server: Server): Promise<void> {
    const shown = `/tidings/v1/deadletters/letters?namespace=${NAMESPACE}&trigger=${MENDED}&limit=100`
    type Letters = { readonly letters: readonly { readonly attributes: Readonly<Record<string, string>> }[] }
    const { letters } = await asked<Letters>(server, shown)
    if (letters.length === 0) return
    const order = { namespace: NAMESPACE, trigger: MENDED, ratePerSecond: ratePerSecond() }
    type Redriven = { readonly redriven: readonly { readonly id: string | null; readonly error: string | null }[] }
    const { redriven } = await asked<Redriven>(server, '/tidings/v1/deadletters/redrive', order)
    assert.deepEqual(
      redriven.map(({ error }) => error),
      [null],
    )
    redrives++
    ledger.redriven(
      MENDED,
      letters.map(({ attributes }) => attributes['id'] ?? ''),
    )
  }

  async function replay(server: Server): Promise<void> {
    const round = begunAt.length - 1
    const fromRound = Math.max(0, round - random.int(MOST_ROUNDS_BACK))
    const musts = ledger.acceptedFor(REPLAYED, fromRound)
    const order = { from: new Date(begunAt[fromRound] ?? 0).toISOString(), ratePerSecond: ratePerSecond() }
    const path = `/tidings/v1/triggers/${NAMESPACE}/${REPLAYED}/replay`
    const { id } = await asked<{ readonly id: string | null }>(server, path, order)
    if (id === null) return assert.deepEqual(musts, [])
    replays++
    ledger.replayed(id, { reader: REPLAYED, fromRound, musts, answeredAt: performance.now() })
  }

  return {
    get isBroken() {
      return isBroken
    },
    get redrives() {
      return redrives
    },
    get replays() {
      return replays
    },
    get resumed() {
      return resumed
    },
    begin: (round) => {
      begunAt[round] = Date.now()
    },
    async give(server) {
      const going = await running(server)
      resumed += going.length
      const isRedriving = going.some((each) => each.startsWith('redrive'))
      if (!isBroken && !isRedriving) isBroken = true
      else if (isBroken && random.int(ODDS.mend) === 0) {
        isBroken = false
        await redrive(server)
      }
      if (random.int(ODDS.replay) === 0) await replay(server)
    },
    running,
  }
}

async function asked<T>({ adminUrl }: Server, path: string, body?: unknown): Promise<T> {
  const request = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }
  const answer = await fetch(adminUrl + path, request)
  const text = await answer.text()
  assert.equal(answer.status, 200, `${path}: ${text}`)
  return JSON.parse(text) as T
}
