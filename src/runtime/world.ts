// What the reconcilers of all kinds share.
import type { Ingress } from '../broker/ingress.ts'
import type { Budget } from '../core/budget.ts'
import type { Clock } from '../core/clock.ts'
import type { Values } from '../core/values.ts'
import type { Client } from '../http/client.ts'
import type { Logger } from '../observe/logger.ts'
import { applyFindings, type ConditionSet, type Finding, startConditions } from '../resource/conditions.ts'
import type { Entry, ResourceStatus, ResourceStore } from '../store/resource-store.ts'
import type { Uids } from '../store/uids.ts'
import type { Attempts } from './attempts.ts'
import type { Settings } from './settings.ts'

export interface World {
  readonly settings: Settings
  readonly clock: Clock
  readonly logger: Logger
  readonly resources: ResourceStore
  /** What is remembered of resources, for as long as the data directory says. */
  readonly values: Values
  /** Of `resources`: nothing is kept under a uid that is not saved. */
  readonly uids: Uids
  /** Of all deliveries. */
  readonly budget: Budget
  readonly client: Client
  /** The door's function: replies go through it. */
  readonly accept: Ingress['accept']
  /** Those that were made lately. */
  readonly attempts: Attempts
  /** Where the data port is reached from outside, without a slash at the end. */
  readonly dataUrl: string
}

/** Writes what was found out about a resource; nothing happens when it is what is known. */
export function writeStatus(
  { resources, clock }: Pick<World, 'resources' | 'clock'>,
  { key, resource, status }: Entry,
  set: ConditionSet,
  findings: readonly Finding[],
  fields: Readonly<Record<string, unknown>> = {},
): void {
  const now = clock.wall()
  const before = status?.conditions ?? startConditions(set, now)
  const next: ResourceStatus = {
    observedGeneration: resource.metadata.generation ?? 0,
    conditions: applyFindings(set, before, findings, now),
    ...fields,
  }
  resources.setStatus(key, next)
}

/** Uid of a resource that is in the store: the store gave it one. */
export function uidOf({ key, resource }: Entry): string {
  const { uid } = resource.metadata
  if (uid === undefined) throw new Error(`${key} has no uid`)
  return uid
}
