// Where the last events of this process stand in their logs, by their ids: so that one of them is found without reading the
// log. A ring of numbers, shared by all logs; what it has forgotten is looked for in the log.
import type { LaneId, Position } from './log.ts'

export interface RecentEvents {
  /** One lane of one log. */
  lane(log: object, lane: LaneId): RecentLane
  /** Where events with this id may stand, oldest first: ids that share a number are told apart by who reads there. */
  find(log: object, id: string): readonly { readonly lane: LaneId; readonly position: Position }[]
}

export interface RecentLane {
  saw(id: string, position: Position): void
}

/** `most`: events that are remembered. 0: none. */
export function createRecentEvents(most: number): RecentEvents {
  // Grown as they come: a process that sees few events has no use for the whole ring.
  let hashes = new Uint32Array(0)
  let lanes = new Uint32Array(0)
  let positions = new Float64Array(0)
  const known: { readonly log: WeakRef<object>; readonly lane: LaneId }[] = []
  const indices = new WeakMap<object, Map<LaneId, number>>()
  let next = 0
  let count = 0

  function saw(lane: number, id: string, position: Position): void {
    if (next === hashes.length) next = grow()
    hashes[next] = hashOf(id)
    lanes[next] = lane
    positions[next] = position
    next++
    if (count < next) count = next
  }

  /** Where to go on: at the start, once it is as large as it may be. */
  function grow(): number {
    const { length } = hashes
    if (length >= most) return 0
    const size = Math.min(most, Math.max(1_024, 2 * length))
    hashes = copied(new Uint32Array(size), hashes)
    lanes = copied(new Uint32Array(size), lanes)
    positions = copied(new Float64Array(size), positions)
    return length
  }

  return {
    lane(log, lane) {
      if (most === 0) return { saw: () => undefined }
      const ofLog = indices.get(log) ?? new Map<LaneId, number>()
      indices.set(log, ofLog)
      const at = ofLog.get(lane) ?? known.push({ log: new WeakRef(log), lane }) - 1
      ofLog.set(lane, at)
      return { saw: (id, position) => saw(at, id, position) }
    },
    find(log, id) {
      const hash = hashOf(id)
      const found: { lane: LaneId; position: Position }[] = []
      for (let n = 0; n < count; n++) {
        const i = (next + n) % count
        if (hashes[i] !== hash) continue
        const lane = known[lanes[i] as number]
        if (lane?.log.deref() === log) found.push({ lane: lane.lane, position: positions[i] as number })
      }
      return found
    },
  }
}

function copied<T extends { set(from: T): void }>(to: T, from: T): T {
  to.set(from)
  return to
}

/** FNV-1a, of at most the last 64 characters: where ids that share a start differ. */
function hashOf(id: string): number {
  let hash = 0x811c9dc5
  for (let i = Math.max(0, id.length - 64); i < id.length; i++) {
    hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193)
  }
  return hash >>> 0
}
