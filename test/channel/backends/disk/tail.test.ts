// The end of the journal in every state in which a disk may leave it: cut to every length, and with every bit turned. What
// was acknowledged and can be read is there, nothing else is, and damage is told where it is not the end that tore.
import assert from 'node:assert/strict'
import { HEADER_BYTES } from '../../../../src/channel/backends/disk/segment.ts'
import { openDiskStore } from '../../../../src/channel/backends/disk/store.ts'
import type { EventLog } from '../../../../src/channel/log.ts'
import { anEvent } from '../../../support/builders.ts'
import { createFakeClock } from '../../../support/clock.ts'
import { isLong, longMark } from '../../../support/long.ts'
import { aPowerCutDisk, type PowerCutDisk } from './power-cut-disk.ts'

const JOURNAL = '/data/journal/0000000001.journal'
const ref = { uid: 'u', name: 'n' }
/** Events of each group, one after the other. */
const GROUPS = isLong ? [1, 3, 8, 2, 1, 5] : [1, 3, 2]
/** Room for all groups, and little more to be read each time. */
const SEGMENT_BYTES = 8_192
/** Of bits: has no factor in common with eight, so that each bit of a byte has its turn. */
const STEP = isLong ? 1 : 7
const EVERY = isLong ? 'every' : 'every seventh'

/** Where the record of an event stands. */
interface Place {
  readonly id: string
  readonly from: number
  readonly to: number
}

interface Found {
  readonly ids: readonly string[]
  readonly faults: readonly string[]
}

describe('the tail of the journal', () => {
  let files: ReadonlyMap<string, Buffer>
  let places: readonly Place[]
  let end = 0

  before(async () => {
    files = await written()
    places = placesIn(journalOf(files))
    end = places.at(-1)?.to ?? 0
    assert.equal(
      places.length,
      GROUPS.reduce((sum, count) => sum + count, 0),
    )
    assert.ok(journalOf(files).length > end, 'zeros follow')
  })

  it('cut to every length: what stands before is there, and nothing is reported', async () => {
    const first = places[0]?.from ?? 0
    for (let length = first; length <= end + 20; length++) {
      const whole = places.filter(({ to }) => to <= length)

      assert.deepEqual(await recovered(length, (bytes) => bytes.subarray(0, length)), {
        ids: whole.map(({ id }) => id),
        faults: [],
      })
    }
  })

  it(`with ${EVERY} bit turned: all other events are there, and it is told unless the last group has it${longMark}`, async function () {
    this.timeout(isLong ? 300_000 : 30_000)
    for (const [number, { id, from, to }] of places.entries()) {
      const others = places.filter((place) => place.id !== id).map((place) => place.id)
      const isInLastGroup = number >= places.length - (GROUPS.at(-1) ?? 0)
      for (let bit = 8 * from; bit < 8 * to; bit += STEP) {
        const found = await recovered(bit, (bytes) => withBitTurned(bytes, bit))

        assert.deepEqual(found.ids, others, `bit ${bit}`)
        const told = isInLastGroup ? [] : [`LOG_CORRUPT ${JOURNAL}: damaged from ${from} to ${to}`]
        assert.deepEqual(found.faults, told, `bit ${bit}`)
      }
    }
  })

  it('with a bit turned in the zeros after it: everything is there, and nothing is reported', async () => {
    const ids = places.map(({ id }) => id)
    for (let bit = 8 * end; bit < 8 * (end + 64); bit += STEP) {
      assert.deepEqual(await recovered(bit, (bytes) => withBitTurned(bytes, bit)), { ids, faults: [] })
    }
  })

  it('with every bit of its header turned: never as if nothing had been there', async () => {
    for (let bit = 0; bit < 8 * HEADER_BYTES; bit++) {
      const found = await recovered(bit, (bytes) => withBitTurned(bytes, bit)).catch((error: unknown) => String(error))

      if (typeof found === 'string') assert.match(found, /format version|kind/, `bit ${bit}`)
      else assert.match(found.faults.join(), /LOG_CORRUPT .*damaged at 0, set aside/, `bit ${bit}`)
    }
  })

  it(`with ${EVERY} bit of the checkpoint turned: a start is refused`, async () => {
    const checkpoint = files.get('/data/checkpoint') ?? assert.fail('a checkpoint')
    for (let bit = 0; bit < 8 * checkpoint.length; bit += STEP) {
      const changed = new Map(files).set('/data/checkpoint', withBitTurned(checkpoint, bit))

      await assert.rejects(recover(aPowerCutDisk(changed)), { code: 'LOG_CORRUPT' }, `bit ${bit}`)
    }
  })

  /** What a start finds when the journal's only file was changed. */
  async function recovered(where: number, change: (bytes: Buffer) => Buffer): Promise<Found> {
    try {
      return await recover(aPowerCutDisk(new Map(files).set(JOURNAL, change(journalOf(files)))))
    } catch (error) {
      throw new Error(`at ${where}: ${error}`, { cause: error })
    }
  }
})

/** The files of a store to which each group was appended once the one before was acknowledged; it was killed then. */
async function written(): Promise<ReadonlyMap<string, Buffer>> {
  const disk = aPowerCutDisk()
  const { log } = await open(disk)
  let number = 0
  for (const count of GROUPS) {
    const events = Array.from({ length: count }, () => anEvent({ id: `e${number++}` }, { data: `data ${number}` }))
    await Promise.all(events.map((event) => log.append(event)))
  }
  return disk.contents()
}

async function open(disk: PowerCutDisk): Promise<{ log: EventLog; faults: readonly string[] }> {
  const faults: string[] = []
  const store = await openDiskStore({
    dir: '/data',
    disk,
    clock: createFakeClock(),
    segmentBytes: SEGMENT_BYTES,
    recentBytes: 0,
    reserveBytes: 0,
    onFault: (_what, error) => {
      const { code, message } = error as { code?: string; message: string }
      faults.push(`${code} ${message}`)
    },
  })
  return { log: await store.open(ref, { capBytes: 2 ** 30 }), faults }
}

async function recover(disk: PowerCutDisk): Promise<Found> {
  const { log, faults } = await open(disk)
  const ids: string[] = []
  const [lane] = await log.lanes()
  if (!lane || lane.start >= lane.end) return { ids, faults }
  for await (const { entries, next } of log.read('0', lane.start, AbortSignal.timeout(5_000))) {
    for (const { event } of entries) {
      const { id = '' } = event.attributes
      assert.equal(event.data?.toString(), `data ${Number(id.slice(1)) + 1}`)
      ids.push(id)
    }
    if (next >= lane.end) break
  }
  return { ids, faults }
}

function journalOf(files: ReadonlyMap<string, Buffer>): Buffer {
  return files.get(JOURNAL) ?? assert.fail('the journal')
}

/** By the ids in it: each record is found by its text, and begins where the one before ends. */
function placesIn(journal: Buffer): Place[] {
  const places: Place[] = []
  for (let at = HEADER_BYTES; ; ) {
    const length = journal.readUInt32LE(at + 4)
    if (length === 0) return places
    const to = at + 11 + length
    const id = /\be\d+\b/.exec(journal.toString('latin1', at + 11, to))?.[0]
    if (id !== undefined) places.push({ id, from: at, to })
    at = to
  }
}

function withBitTurned(bytes: Buffer, bit: number): Buffer {
  const changed = Buffer.from(bytes)
  changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
  return changed
}
