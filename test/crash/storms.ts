// Storms as tests: the whole program, as a user runs it, is killed again and again under load, or what keeps its events is,
// and nothing that it acknowledged is ever lost. What is judged, and how, stands in ledger.ts.
import assert from 'node:assert/strict'
import { isLong, longMark, roundsOf, seedOf } from '../support/long.ts'
import { itUsing, type Server } from '../support/servers/there.ts'
import type { OpenHost } from './host.ts'
import { runStorm, type StormResult } from './storm.ts'

export interface Storms {
  /** Whose end it is, and where: the test's title begins with it, and it picks the test by that. */
  readonly name: string
  readonly servers: readonly Server[]
  readonly openHost: OpenHost
  /** Without any in the short form, it is skipped there. */
  readonly rounds: { readonly short: number; readonly long: number }
  /** Rounds over the same logs. Each storm has a seed of its own, so that one that fails can be had alone. */
  readonly stormRounds: number
  readonly mostMsARound: number
  /** Fewer kills than this in as many accepted events would prove little. */
  readonly killsPer10000: number
}

/** Another storm each day, and the same one all day. */
const SEED = seedOf(isLong ? Math.floor(Math.random() * 1e9) : Math.floor(Date.now() / 86_400_000))

/** Beside the rounds: the host, and what is left to drain. */
const STORM_MS = 900_000

export function describeStorms(storms: Storms): void {
  const { name, stormRounds, openHost } = storms
  const all = roundsOf(storms.rounds)
  describe(name, () => {
    if (all === 0) it.skip(`loses nothing that was acknowledged [long form: npm run test:long -- "${name}"]`)
    for (let from = 0; from < all; from += stormRounds) {
      const rounds = Math.min(stormRounds, all - from)
      const seed = SEED + from / stormRounds
      const title = `at any of ${rounds} moments loses nothing that was acknowledged, seed ${seed}${longMark}`
      itUsing(storms.servers, title, async function () {
        this.timeout(rounds * storms.mostMsARound + STORM_MS)
        const again = `npm run test:long -- "${name}" --rounds ${rounds} --seed ${seed}`
        console.log(`      ${again}`)
        const startedAt = performance.now()

        // Of a long run, the report with all failures comes hours later.
        const result = await runStorm({ rounds, seed, openHost }).catch((error: unknown) => {
          console.log(`      ${error}`)
          throw error
        })

        print(result, (performance.now() - startedAt) / rounds)
        for (const each of result.wrong) console.log(`      ${each}`)
        assert.deepEqual(result.wrong, [], again)
        const { kills, outages, tally } = result
        const ends = kills.load + outages.count
        assert.ok(ends * 10_000 >= tally.accepted * storms.killsPer10000, 'too few kills for so many events')
      })
    }
  })
}

function print({ tally, kills, outages, orders, drainMs, segments }: StormResult, msARound: number): void {
  const { accepted, refused, unknown, attempts, taken, repeated, explained, storedAgain, refusedAndStored } = tally
  console.log(
    `      kills: ${kills.load} under load (${kills.draining} of them while draining), ${kills.starting} while starting`,
  )
  if (outages.count > 0) {
    const [count, longest] = [outages.count, Math.round(outages.longestMs)]
    console.log(`      nodes that went and came back: ${count}; nothing was accepted for at most ${longest} ms`)
  }
  if (outages.lanesLost > 0) console.log(`      lanes were given up for want of an answer ${outages.lanesLost} times`)
  console.log(
    `      orders: ${orders.redrives} redrives, ${orders.replays} replays; went on after a kill ${orders.resumed} times`,
  )
  console.log(`      events: ${accepted} accepted, ${refused} refused, ${unknown} without an answer`)
  if (storedAgain + refusedAndStored > 0) {
    console.log(`      stored twice: ${storedAgain}; refused, and stored nevertheless: ${refusedAndStored}`)
  }
  console.log(
    `      requests: ${attempts}, ${taken} taken; ${repeated} taken again, of at most ${explained} that kills explain`,
  )
  console.log(
    `      ${Math.round(msARound)} ms a round, ${Math.round(drainMs)} ms to drain; ${segments} files of the journal`,
  )
}
