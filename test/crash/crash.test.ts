// The proof of the durable log: the whole program, as a user runs it, is killed again and again under load, and nothing
// that it acknowledged is ever lost. What is judged, and how, stands in ledger.ts.
import assert from 'node:assert/strict'
import { isLong, longMark, roundsOf, seedOf } from '../support/long.ts'
import { runStorm, type StormResult } from './storm.ts'

const ROUNDS = roundsOf({ short: 40, long: 1_000 })
/** Rounds on one data directory. Each storm has a seed of its own, so that one that fails can be had alone. */
const STORM_ROUNDS = 40
/** Another storm each day, and the same one all day. */
const SEED = seedOf(isLong ? Math.floor(Math.random() * 1e9) : Math.floor(Date.now() / 86_400_000))
/** Fewer kills than this in as many accepted events would prove little. */
const KILLS_PER_10_000 = 20
const MOST_MS_A_ROUND = 10_000

describe('a crash', () => {
  for (let from = 0; from < ROUNDS; from += STORM_ROUNDS) {
    const rounds = Math.min(STORM_ROUNDS, ROUNDS - from)
    const seed = SEED + from / STORM_ROUNDS
    it(`at any of ${rounds} moments loses nothing that was acknowledged, seed ${seed}${longMark}`, async function () {
      this.timeout(rounds * MOST_MS_A_ROUND + 120_000)
      const again = `npm run test:long -- crash --rounds ${rounds} --seed ${seed}`
      console.log(`      ${again}`)
      const startedAt = performance.now()

      // Of a long run, the report with all failures comes hours later.
      const result = await runStorm({ rounds, seed }).catch((error: unknown) => {
        console.log(`      ${error}`)
        throw error
      })

      print(result, (performance.now() - startedAt) / rounds)
      for (const each of result.wrong) console.log(`      ${each}`)
      assert.deepEqual(result.wrong, [], again)
      const { kills, tally } = result
      assert.ok(kills.load * 10_000 >= tally.accepted * KILLS_PER_10_000, 'too few kills for so many events')
    })
  }
})

function print({ tally, kills, orders, segments }: StormResult, msARound: number): void {
  const { accepted, refused, unknown, attempts, taken, repeated, explained } = tally
  console.log(
    `      kills: ${kills.load} under load (${kills.draining} of them while draining), ${kills.starting} while starting`,
  )
  console.log(
    `      orders: ${orders.redrives} redrives, ${orders.replays} replays; went on after a kill ${orders.resumed} times`,
  )
  console.log(`      events: ${accepted} accepted, ${refused} refused, ${unknown} without an answer`)
  console.log(
    `      requests: ${attempts}, ${taken} taken; ${repeated} taken again, of at most ${explained} that kills explain`,
  )
  console.log(`      ${Math.round(msARound)} ms a round; ${segments} files of the journal`)
}
