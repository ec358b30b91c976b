// What a data directory still holds for a trigger, counted by reading it: for a ledger where the program that wrote it
// has been started anew since, and says so much only once it has read it all again.
import { openDiskStore } from '../../src/channel/backends/disk/store.ts'
import { decodeCursor } from '../../src/channel/cursor.ts'
import type { EventLog, OwnedLane, Position } from '../../src/channel/log.ts'
import { createClock } from '../../src/core/clock.ts'

/** Events of the broker that its one trigger has not settled, all of which match it. Nobody may own the directory. */
export async function storedWaiting(dir: string, brokerUid: string): Promise<number> {
  const onFault = (what: string, error: unknown): never => {
    throw new Error(`${dir}: ${what}`, { cause: error })
  }
  const store = await openDiskStore({ dir, clock: createClock(), onFault })
  try {
    const log = await store.open({ uid: brokerUid, name: 'default/default' }, { capBytes: Infinity })
    const done = new AbortController()
    let waiting = 0
    await log.own(async (lane) => {
      waiting = await countWaiting(log, lane)
      done.abort()
    }, done.signal)
    return waiting
  } finally {
    await store.close()
  }
}

async function countWaiting(log: EventLog, lane: OwnedLane): Promise<number> {
  const { base, own } = await lane.cursors()
  const [record, ...others] = own.values()
  if (others.length > 0) throw new Error(`${others.length + 1} cursors instead of one`)
  const { next, unsettled } = record ? decodeCursor(record) : { next: base, unsettled: [] }
  return unsettled.length + (await countFrom(log, lane, next))
}

async function countFrom(log: EventLog, { id, signal }: OwnedLane, from: Position): Promise<number> {
  const end = log.end(id)
  let entries = 0
  if (from >= end) return entries
  for await (const batch of log.read(id, from, signal)) {
    entries += batch.entries.length
    if (batch.next >= end) break
  }
  return entries
}
