// A process is killed while it appends, again and again on the same files.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { longMark, roundsOf } from '../../../support/long.ts'
import { aFolder, openStore } from './support.ts'

const ROUNDS = roundsOf({ short: 10, long: 50 })
const APPENDER = path.join(import.meta.dirname, 'appender.ts')

export function describeCrashes(): void {
  describe('a killed process', () => {
    it(`C3 nothing that was acknowledged is missing after ${ROUNDS} kills at random moments${longMark}`, async function () {
      this.timeout(ROUNDS * 10_000)
      const dir = path.join(await aFolder(), 'data')
      const acknowledged: string[] = []

      for (let round = 0; round < ROUNDS; round++) acknowledged.push(...(await appendUntilKilled(dir, round)))

      const { store, faults } = await openStore(dir)
      const log = await store.open({ uid: 'kept', name: 'default/kept' }, { capBytes: 2 ** 30 })
      const [lane] = await log.lanes()
      assert.ok(lane)
      const stored = new Set<string>()
      const positions = new Set<number>()
      for await (const { entries, next } of log.read('0', lane.start, AbortSignal.timeout(30_000))) {
        for (const { event, position } of entries) {
          stored.add(event.attributes['id'] ?? '')
          positions.add(position)
        }
        if (next >= lane.end) break
      }
      const values = new Map(store.values.entries('last/'))
      await store.close()
      assert.ok(acknowledged.length > ROUNDS, `${acknowledged.length} were acknowledged`)
      assert.deepEqual(
        acknowledged.filter((id) => !stored.has(id)),
        [],
      )
      for (const [key, id] of lastOf(acknowledged)) {
        const value = values.get(key)
        assert.ok(value && numberIn(value) >= numberIn(id), `${key} is ${value}, ${id} was acknowledged`)
      }
      assert.equal(positions.size, lane.end - lane.start)
      assert.deepEqual(faults, [])
    })
  })
}

/** The last id of each sender of each round, by the key that it has as a value. */
function lastOf(ids: readonly string[]): Map<string, string> {
  return new Map(ids.map((id) => [`last/${id.slice(0, id.lastIndexOf('-'))}`, id]))
}

function numberIn(id: string): number {
  return Number(id.slice(id.lastIndexOf('-') + 1))
}

/** The ids that the process said were stored before it was killed. */
async function appendUntilKilled(dir: string, round: number): Promise<string[]> {
  const child = spawn(process.execPath, ['--import', 'tsx', APPENDER, dir, String(round)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let printed = ''
  let complaints = ''
  child.stderr.on('data', (text) => {
    complaints += text
  })
  child.stdout.on('data', (text) => {
    // From the first line on: a start is no storm.
    if (printed === '') setTimeout(() => child.kill('SIGKILL'), Math.random() * 300)
    printed += text
  })
  await once(child, 'close')
  assert.equal(complaints, '')
  assert.equal(child.signalCode, 'SIGKILL')
  return printed.split('\n').slice(0, -1)
}
