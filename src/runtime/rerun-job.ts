import type { LetterMatch } from '../broker/letter.ts'
import type { CursorStart, LaneId, Position } from '../channel/log.ts'
import type { ResourceKey, ResourceName } from '../store/resource-store.ts'

/** A replay or a redrive, as it is stored. */
export interface Job {
  readonly id: string
  readonly kind: 'replay' | 'redrive'
  /** Who is handed the events. */
  readonly reader: ResourceKey
  /** Whose log, or dead-letter log, has them. */
  readonly hub: ResourceKey
  /** Positions are of its log, and of no later one that has its name. */
  readonly hubUid: string
  readonly startedAt: number
  readonly start: CursorStart
  readonly until: Readonly<Record<LaneId, Position>>
  readonly ratePerSecond?: number
  /** Of a redrive. */
  readonly letters?: LetterMatch
  /** Nothing more is handed out; its cursor may be there still. */
  readonly isOver?: true
}

/** Counts are events since the process started; times are RFC 3339. */
export interface RerunStatus {
  readonly id: string
  readonly kind: 'replay' | 'redrive'
  readonly reader: ResourceName
  readonly startedAt: string
  readonly ratePerSecond: number | null
  readonly delivered: number
  /** To the dead letter sink. */
  readonly deadLettered: number
  /** Nobody took them: into the dead-letter log, or still there. */
  readonly kept: number
  /** Handed out and not settled. */
  readonly unsettled: number
  /** Entries that are still to be read: an upper bound of what it will hand out. */
  readonly unread: number
  readonly lastFailure: string | null
  /** Why nothing is handed out now. */
  readonly held: string | null
  /** Null while it goes on. */
  readonly endedAt: string | null
  /** Why it was ended before all was handed out. */
  readonly cancelled: string | null
}

export const JOB_PREFIX = 'rerun/'

export function cursorIdOf({ kind, id }: Pick<Job, 'kind' | 'id'>): string {
  return `${kind}-${id}`
}

/** For the process's log. */
export function aboutJob({ id, kind, reader }: Job): Readonly<Record<string, string>> {
  return { [kind]: id, resource: reader }
}
