// Who of a group gets which lanes: as many for everybody, and as few as possible change hands. Lane n is partition n of
// both topics.

export interface Candidate {
  readonly memberId: string
  /** Lanes that it serves now. */
  readonly serving: readonly number[]
}

export function assignLanes(candidates: readonly Candidate[], lanes: number): ReadonlyMap<string, readonly number[]> {
  const members = [...candidates].sort((a, b) => (a.memberId < b.memberId ? -1 : 1))
  const assigned = new Map(members.map(({ memberId }): [string, number[]] => [memberId, []]))
  if (members.length === 0) return assigned
  const free = new Set(Array.from({ length: lanes }, (_, lane) => lane))
  const fewest = Math.floor(lanes / members.length)
  /** So many members have one lane more than the others. */
  let larger = lanes % members.length

  for (const { memberId, serving } of members) {
    const kept = assigned.get(memberId) ?? []
    for (const lane of serving) {
      const isMore = kept.length === fewest
      if (!free.has(lane) || kept.length > fewest || (isMore && larger === 0)) continue
      if (isMore) larger--
      free.delete(lane)
      kept.push(lane)
    }
  }
  const rest = [...free]
  for (const kept of assigned.values()) while (kept.length < fewest) take(kept)
  for (const kept of assigned.values()) if (kept.length === fewest && rest.length > 0) take(kept)
  return assigned

  function take(kept: number[]): void {
    const lane = rest.shift()
    if (lane !== undefined) kept.push(lane)
  }
}
