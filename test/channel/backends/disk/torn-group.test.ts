import assert from 'node:assert/strict'
import { openDiskStore } from '../../../../src/channel/backends/disk/store.ts'
import { verifyDirectory } from '../../../../src/channel/backends/disk/verify.ts'
import type { EventLog } from '../../../../src/channel/log.ts'
import { anEvent } from '../../../support/builders.ts'
import { createFakeClock } from '../../../support/clock.ts'
import { eventually } from '../../../support/eventually.ts'
import { aPowerCutDisk, type PowerCutDisk } from './power-cut-disk.ts'

const JOURNAL = '/data/journal/0000000001.journal'
const clock = { ...createFakeClock(), sleep: async () => undefined }

describe('a group that a power cut tore', () => {
  it('is no damage: what is there is kept, and nothing is reported', async () => {
    const { store, log, faults } = await open(await tornDisk())

    assert.deepEqual(await idsIn(log), ['first', 'a', 'c'])
    assert.deepEqual(faults, [])
    assert.equal((await log.append(anEvent({ id: 'next' }))).position, 4)
    await store.close()
  })

  it('is a note to whoever verifies the directory before it is used again', async () => {
    const { problems, notes } = await verifyDirectory(await tornDisk(), '/data', clock)

    assert.deepEqual(problems, [])
    assert.match(
      notes.map(({ what }) => what).join(),
      /^bytes up to \d+ were not stored: a group that the power went in/,
    )
  })

  it('leaves nothing to be missed, however often the directory is used, and when its events have left the journal', async () => {
    const disk = await tornDisk()
    for (let round = 0; round < 3; round++) {
      const { store, log, faults } = await open(disk)
      for (let i = 0; i < 20; i++) await log.append(anEvent({ id: 'more' }, { data: Buffer.alloc(1_000) }))
      await store.close()

      const { problems } = await verifyDirectory(disk, '/data', clock)

      assert.deepEqual([...problems, ...faults], [], `round ${round}`)
    }
    assert.ok([...disk.contents().keys()].some((file) => file.endsWith('.backlog')))
  })

  it('is one again for a start after one that was killed before it had stored a checkpoint', async () => {
    const disk = await tornDisk()
    const last = disk.changes + 9 // the next segment is there, the checkpoint is not
    disk.stopAfter(last)
    void open(disk).catch(() => undefined)
    await eventually(() => disk.changes >= last, 'it comes as far as it may')
    const left = disk.cut(() => 0)
    assert.ok(left.contents().has('/data/journal/0000000002.journal'))

    const { store, log, faults } = await open(left)

    assert.deepEqual(await idsIn(log), ['first', 'a', 'c'])
    assert.deepEqual(faults, [])
    await store.close()
    assert.deepEqual((await verifyDirectory(left, '/data', clock)).problems, [])
  })

  it('is damage when another group was stored behind it', async () => {
    const { log, faults } = await open(await tornDisk(async (log) => void (await log.append(anEvent({ id: 'later' })))))

    assert.deepEqual(await idsIn(log), ['first', 'a', 'c', 'later'])
    assert.equal(faults.length, 1)
    assert.match(faults[0] ?? '', /damaged from \d+ to \d+/)
  })
})

/** What a process left that had stored `first`, and a group of `a`, `b` and `c` of which `b` is not there. */
async function tornDisk(andThen: (log: EventLog) => Promise<void> = async () => {}): Promise<PowerCutDisk> {
  const disk = aPowerCutDisk()
  const { log } = await open(disk)
  await log.append(anEvent({ id: 'first' }))
  await Promise.all(['a', 'b', 'c'].map((id) => log.append(anEvent({ id }, { data: `this is ${id}` }))))
  await andThen(log)
  const files = disk.contents()
  const journal = files.get(JOURNAL) ?? assert.fail('the journal')
  journal.write('XXXX', journal.indexOf('this is b'))
  return aPowerCutDisk(files)
}

async function open(disk: PowerCutDisk) {
  const faults: string[] = []
  const store = await openDiskStore({
    dir: '/data',
    disk,
    clock: createFakeClock(),
    segmentBytes: 4_096,
    journalBytes: 8_192,
    recentBytes: 0,
    reserveBytes: 0,
    onFault: (what, error) => faults.push(`${what}: ${error}`),
  })
  return { store, log: await store.open({ uid: 'u', name: 'n' }, { capBytes: 2 ** 30 }), faults }
}

async function idsIn(log: EventLog): Promise<string[]> {
  const ids: string[] = []
  const [lane] = await log.lanes()
  if (!lane || lane.start >= lane.end) return ids
  for await (const { entries, next } of log.read('0', lane.start, AbortSignal.timeout(5_000))) {
    ids.push(...entries.map(({ event }) => event.attributes['id'] ?? ''))
    if (next >= lane.end) break
  }
  return ids
}
