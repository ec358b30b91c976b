// What an owner is handed of its lane.
import { EventingError } from '../../../core/errors.ts'
import type { Cursor, CursorId, OwnedLane } from '../../log.ts'
import type { KafkaLane } from './kafka-lane.ts'
import type { Room } from './room.ts'
import type { Serving } from './tenure.ts'

export function createOwnedLane(
  lane: KafkaLane,
  { epoch, signal, lost, check }: Serving,
  { name, room }: { readonly name: string; readonly room: Room },
): OwnedLane {
  const { cursors, ledger } = lane
  const { table } = cursors
  return {
    id: String(lane.partition),
    signal,
    lost,
    async cursors() {
      await cursors.sync()
      const own = new Map<CursorId, Cursor>()
      const covered: CursorId[] = []
      for (const [id, cursor] of table.cursors) {
        // Made later than the base: it stands where it was covered, until the base has passed that.
        if (cursor.record) own.set(id, cursor.record)
        else if (cursor.atLeast > table.base) own.set(id, { floor: cursor.atLeast, state: new Uint8Array(0) })
        else covered.push(id)
      }
      return { base: table.base, start: ledger.start, own, covered }
    },
    async save(change) {
      check()
      await cursors.save(epoch, change)
      check()
    },
    async trim(before) {
      if (table.epoch !== epoch) throw new EventingError('LANE_LOST', `${name}: another process owns the lane`)
      lane.settle(before)
      room.retain()
    },
    onExpired(told) {
      lane.tellExpired.add(told)
      signal.addEventListener('abort', () => lane.tellExpired.delete(told), { once: true })
    },
  }
}
