import assert from 'node:assert/strict'
import { HEADER_BYTES } from '../../../../src/channel/backends/disk/segment.ts'
import { openDiskStore } from '../../../../src/channel/backends/disk/store.ts'
import type { EventLog } from '../../../../src/channel/log.ts'
import { anEvent } from '../../../support/builders.ts'
import { createFakeClock } from '../../../support/clock.ts'
import { aPowerCutDisk, type PowerCutDisk } from './power-cut-disk.ts'

const lagging = { uid: 'lagging', name: 'lagging' }
const EVENTS = 10

describe('reading a backlog file', () => {
  it('passes what is damaged, tells where, and hands out all others', async () => {
    const { files, backlog } = await withBacklog()
    const bytes = files.get(backlog) ?? assert.fail('the file')

    for (const { number, from, to } of recordsIn(bytes)) {
      for (let at = from; at < to; at += 3) {
        const changed = Buffer.from(bytes)
        changed[at] = (changed[at] ?? 0) ^ 0x10
        const { log, faults } = await open(aPowerCutDisk(new Map(files).set(backlog, changed)))

        const ids = await idsIn(log)

        assert.deepEqual(
          ids,
          allIds().filter((id) => id !== `e${number}`),
          `byte ${at}`,
        )
        assert.deepEqual(faults, [`read the backlog: ${backlog}: damaged from ${from} to ${to}`], `byte ${at}`)
      }
    }
  })
})

/** A log whose events had to leave the journal, on a disk that was left by its process. */
async function withBacklog(): Promise<{ readonly files: ReadonlyMap<string, Buffer>; readonly backlog: string }> {
  const disk = aPowerCutDisk()
  const { store, log } = await open(disk)
  for (const id of allIds()) await log.append(anEvent({ id }, { data: 'some data' }))
  const other = await store.open({ uid: 'other', name: 'other' }, { capBytes: 2 ** 30 })
  for (let number = 0; number < 60; number++) await other.append(anEvent({}, { data: Buffer.alloc(1_000) }))
  await store.close()
  const files = disk.contents()
  const backlog = [...files.keys()].find((file) => /\/1-0-\d+\.backlog$/.test(file))
  return { files, backlog: backlog ?? assert.fail('no backlog file') }
}

async function open(disk: PowerCutDisk) {
  const faults: string[] = []
  const store = await openDiskStore({
    dir: '/data',
    disk,
    clock: createFakeClock(),
    segmentBytes: 8_192,
    journalBytes: 16_384,
    recentBytes: 0,
    reserveBytes: 0,
    onFault: (what, error) => faults.push(`${what}: ${error instanceof Error ? error.message : error}`),
  })
  return { store, log: await store.open(lagging, { capBytes: 2 ** 30 }), faults }
}

async function idsIn(log: EventLog): Promise<string[]> {
  const ids: string[] = []
  for await (const { entries, next } of log.read('0', 0, AbortSignal.timeout(5_000))) {
    ids.push(...entries.map(({ event }) => event.attributes['id'] ?? ''))
    if (next >= EVENTS) return ids
  }
  return ids
}

function allIds(): string[] {
  return Array.from({ length: EVENTS }, (_, number) => `e${number}`)
}

function recordsIn(file: Buffer): { readonly number: number; readonly from: number; readonly to: number }[] {
  let at = HEADER_BYTES
  return Array.from({ length: EVENTS }, (_, number) => {
    const from = at
    at += 11 + file.readUInt32LE(at + 4)
    return { number, from, to: at }
  })
}
