// What the admin port may ask of a runtime: the border between `api` and everything behind it.
import type { Health } from '../http/server.ts'
import type { Metrics } from '../observe/metrics.ts'
import type { ResourceReader } from '../store/resource-store.ts'
import type { RuntimeStatus } from './status.ts'

export interface Admin {
  readonly health: Health
  readonly metrics: Metrics
  readonly resources: ResourceReader
  status(): Promise<RuntimeStatus>
  /** False when there is no such trigger. A pause holds until it is resumed, whatever its manifest says. */
  setTriggerPaused(namespace: string, name: string, paused: boolean): boolean
  /** Emits one event of the source now, beside its schedule. */
  fireSource(kind: 'PingSource' | 'CronJobSource', namespace: string, name: string): Promise<Fired>
  /** Events with this id in the log of a Broker, newest last; undefined when there is no such Broker. */
  findEvents(namespace: string, broker: string, id: string): Promise<readonly FoundEvent[] | undefined>
  /** The effective settings; secrets are never among them. */
  settings(): readonly SettingDescription[]
  /** Makes `serving.knative.dev/v1 Service` NAME stand for a URL, until it is released or the process ends. */
  registerService(namespace: string, name: string, url: string): Registration
  releaseService(namespace: string, name: string): void
}

export type Fired =
  | { readonly kind: 'fired'; readonly eventId: string; readonly sink: string }
  | { readonly kind: 'unknown' }
  /** Nothing can be emitted now: the sink is not resolved, say. */
  | { readonly kind: 'refused'; readonly reason: string }

export type Registration =
  | { readonly kind: 'registered' }
  /** A manifest has a Service of that name already; `origin` says which. */
  | { readonly kind: 'taken'; readonly origin: string }

export interface FoundEvent {
  readonly position: number
  readonly attributes: Readonly<Record<string, string>>
  /** RFC 3339. */
  readonly arrivedAt: string
  readonly dataBase64: string | null
  /** Where it stands with each trigger that it matches: `settled`, `waiting` or `running`. */
  readonly triggers: readonly { readonly name: string; readonly state: 'settled' | 'waiting' | 'running' }[]
}

export interface SettingDescription {
  readonly name: string
  readonly value: unknown
  /** `default`, `flag --port`, `environment TIDINGS_DATA_PORT`, `settings.yaml:3:5`. */
  readonly origin: string
  readonly reloads: boolean
  readonly description: string
}
