// What a compiled filter is, to the matcher and to everyone who asks it. dialects.ts builds them from manifests.
import type { Attributes } from '../core/event.ts'

/** A value that an event must show for the filter to have a chance: what the matcher's index is keyed by. */
export interface IndexKey {
  readonly kind: 'exact' | 'prefix' | 'suffix'
  /** Attribute name as in `filterValue`. */
  readonly attribute: string
  readonly value: string
}

export interface CompiledFilter {
  matches(attributes: Attributes): boolean
  /**
   * If the filter matches, at least one of one of these alternatives' keys holds: `covers` lists the choices the index
   * may take, each sufficient by itself. Empty: no such key exists, so the filter must be run for every event.
   */
  readonly covers: readonly (readonly IndexKey[])[]
}
