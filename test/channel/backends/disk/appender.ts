// A process to be killed: opens the data directory that it is given, appends as fast as it can, settles a part of it, and
// prints each id once its append has resolved. Printing to a pipe is done when it returns, so what was printed was
// acknowledged, and what was acknowledged before the last line was printed.
import { openDiskStore } from '../../../../src/channel/backends/disk/store.ts'
import { createClock } from '../../../../src/core/clock.ts'
import { anEvent } from '../../../support/builders.ts'
import { laneOf } from './support.ts'

const [dir = '', round = ''] = process.argv.slice(2)
const store = await openDiskStore({
  dir,
  clock: createClock(),
  segmentBytes: 65_536,
  onFault: (what, error) => console.error(what, error),
})
const config = { capBytes: 2 ** 30 }
const kept = await store.open({ uid: 'kept', name: 'default/kept' }, config)
const passing = await store.open({ uid: 'passing', name: 'default/passing' }, config)
const lane = await laneOf(passing)

async function append(sender: number): Promise<never> {
  for (let number = 0; ; number++) {
    const id = `${round}-${sender}-${number}`
    const event = anEvent({ id }, { data: Buffer.alloc((number * 97) % 3_000) })
    await Promise.all([kept.append(event), passing.append(event), store.values.put(`last/${round}-${sender}`, id)])
    process.stdout.write(`${id}\n`)
  }
}

async function settle(): Promise<never> {
  for (;;) {
    const before = passing.end('0')
    await lane.save({ base: before, put: new Map(), covered: [] })
    await lane.trim(before)
    await new Promise(setImmediate)
  }
}

await Promise.all([settle(), ...Array.from({ length: 8 }, (_, sender) => append(sender))])
