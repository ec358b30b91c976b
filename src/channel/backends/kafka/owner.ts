// The lanes of one log that this process owns: what the group assigns is claimed and served, what it takes is given up.
import type { Clock } from '../../../core/clock.ts'
import type { Nodes } from './client.ts'
import type { CursorPartition } from './cursor-partition.ts'
import { runMember } from './member.ts'
import { type Serving, startTenure, type Tenure } from './tenure.ts'

export interface OwnerOptions {
  readonly name: string
  readonly groupId: string
  readonly topics: readonly string[]
  readonly clock: Clock
  readonly sessionTimeoutMs: number
  connect(): Promise<Nodes>
  lanes(): Promise<number>
  cursors(partition: number): CursorPartition
  offsets(partitions: readonly number[]): ReadonlyMap<number, number>
  serve(partition: number, serving: Serving): Promise<void>
  fault(what: string, error: unknown): void
}

/** Until the signal aborts; then all lanes are given up, and the group is left. */
export async function ownLanes(options: OwnerOptions, signal: AbortSignal): Promise<void> {
  const { name, clock } = options
  const tenures = new Map<number, Tenure>()
  /** Of lanes that are being given up. */
  const endings = new Map<number, { readonly tenure: Tenure; readonly done: Promise<void> }>()
  let members: ReadonlySet<string> = new Set()
  const leaving = new AbortController()

  function end(partition: number, tenure: Tenure, lost: boolean): void {
    tenures.delete(partition)
    const done = tenure.end(lost).finally(() => {
      if (endings.get(partition)?.tenure === tenure) endings.delete(partition)
    })
    endings.set(partition, { tenure, done })
  }

  function lose(): void {
    for (const { tenure } of endings.values()) void tenure.end(true)
    for (const [partition, tenure] of tenures) end(partition, tenure, true)
  }

  function assigned(lanes: readonly number[], memberId: string, alive: ReadonlySet<string>): void {
    members = alive
    if (signal.aborted) return
    for (const [partition, tenure] of tenures) if (!lanes.includes(partition)) end(partition, tenure, false)
    for (const partition of lanes) {
      if (tenures.has(partition)) continue
      const tenure = startTenure({
        name: `${name} lane ${partition}`,
        clock,
        cursors: options.cursors(partition),
        memberId,
        members: () => members,
        after: endings.get(partition)?.done,
        releaseMs: options.sessionTimeoutMs,
        serve: (serving) => options.serve(partition, serving),
        fault: options.fault,
      })
      tenures.set(partition, tenure)
    }
  }

  async function giveUpAll(): Promise<void> {
    for (const [partition, tenure] of tenures) end(partition, tenure, false)
    await Promise.all([...endings.values()].map(({ done }) => done))
    leaving.abort()
  }

  if (signal.aborted) return
  const onAbort = (): void => void giveUpAll()
  signal.addEventListener('abort', onAbort, { once: true })
  await runMember(
    {
      groupId: options.groupId,
      topics: options.topics,
      clock,
      sessionTimeoutMs: options.sessionTimeoutMs,
      connect: options.connect,
      lanes: options.lanes,
      serving: () => [...tenures.keys()],
      assigned,
      lost: lose,
      offsets: () => options.offsets([...tenures].flatMap(([lane, tenure]) => (tenure.isServing ? [lane] : []))),
      fault: options.fault,
    },
    leaving.signal,
  )
}
