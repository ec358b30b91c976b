// What the admin port may ask of a runtime: the border between `api` and everything behind it.
import { causeOf } from '../broker/letter.ts'
import type { Found } from '../channel/contents.ts'
import type { Event } from '../core/event.ts'
import type { TriggerFilterSpec } from '../filter/dialects.ts'
import type { Health } from '../http/server.ts'
import type { Metrics } from '../observe/metrics.ts'
import { kserviceKind } from '../resource/kinds/kservice.ts'
import { brokerNameOf } from '../resource/kinds/trigger.ts'
import { keyOf, type ResourceReader, type ResourceStore } from '../store/resource-store.ts'
import type { Attempts } from './attempts.ts'
import { brokerKey } from './brokers.ts'
import type { Cursors } from './cursors.ts'
import type { DeadLetters } from './dead-letters.ts'
import { type FilterTrial, tryFilter } from './filter-trial.ts'
import type { Hubs } from './hubs.ts'
import type { Reruns } from './reruns.ts'
import { describeSettings, type Settings } from './settings.ts'
import type { Sources } from './sources.ts'
import type { RuntimeStatus } from './status.ts'
import { type TailFilter, type TailLine, type Watch, watchBroker } from './tail.ts'
import type { TriggerCommands } from './trigger-commands.ts'
import type { Triggers } from './triggers.ts'
import { explainEvent, isFor, lettersOf, type Why } from './why.ts'

export interface Admin {
  readonly health: Health
  readonly metrics: Metrics
  readonly resources: ResourceReader
  status(): Promise<RuntimeStatus>
  /**
   * Resolves to false when there is no such trigger. A pause holds until it is resumed, whatever its manifest says, and
   * across restarts where anything outlives the process. Rejects with LOG_FULL or LOG_UNAVAILABLE when it cannot be
   * stored; nothing has changed then.
   */
  setTriggerPaused(namespace: string, name: string, paused: boolean): Promise<boolean>
  readonly triggers: TriggerCommands
  readonly deadLetters: DeadLetters
  /** Replays and redrives. */
  readonly reruns: Pick<Reruns, 'list' | 'cancel'>
  /** Emits one event of the source now, beside its schedule. */
  fireSource(kind: 'PingSource' | 'CronJobSource', namespace: string, name: string): Promise<Fired>
  /** Events with this id in the log of a Broker, newest last; undefined when there is no such Broker. */
  findEvents(namespace: string, broker: string, id: string): Promise<readonly FoundEvent[] | undefined>
  /** What became of the events with this id, and why; undefined when there is no such Broker. */
  why(namespace: string, broker: string, id: string, trigger?: string): Promise<Why | undefined>
  /** Tells of what goes on at a Broker until the result is called; undefined when there is no such Broker. */
  watch(namespace: string, broker: string, filter: TailFilter, told: (line: TailLine) => void): Watch | undefined
  /** What a filter would pass of the last events of a Broker, beside a Trigger of it or not; says what is not there. */
  tryFilter(
    namespace: string,
    broker: string,
    spec: TriggerFilterSpec,
    options: { readonly most: number; readonly trigger?: string },
  ): Promise<FilterTrial | 'no broker' | 'no trigger'>
  /** How many may look at once, and the bytes that wait for each. */
  tailLimits(): { readonly viewers: number; readonly viewerBytes: number }
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
  /** By name, where it stands with each trigger that it matches. `kept`: in the dead-letter log. */
  readonly triggers: readonly { readonly name: string; readonly state: 'settled' | 'kept' | 'waiting' | 'running' }[]
}

export interface SettingDescription {
  readonly name: string
  readonly value: unknown
  /** `default`, `flag --port`, `environment TIDINGS_DATA_PORT`, `settings.yaml:3:5`. */
  readonly origin: string
  readonly reloads: boolean
  readonly description: string
}

export interface AdminParts {
  readonly settings: Settings
  readonly resources: ResourceStore
  readonly hubs: Hubs
  readonly cursors: Cursors
  readonly triggers: Triggers
  readonly sources: Sources
  readonly attempts: Attempts
}

/** Events with one id are told up to this many. */
const MOST_FOUND = 20
const ORIGIN = 'the admin port'

export function createAdmin(
  parts: AdminParts,
): Omit<Admin, 'health' | 'metrics' | 'resources' | 'status' | 'triggers' | 'deadLetters' | 'reruns'> {
  const { settings, resources, hubs, cursors, triggers, sources, attempts } = parts

  function serviceKey(namespace: string, name: string) {
    return keyOf('serving.knative.dev/v1', 'Service', namespace, name)
  }

  /** A trigger that came after the event never had it, unless it was to begin before. */
  function foundEvent({ event, position, standings }: Found, kept: readonly Event[]): FoundEvent {
    const readers = new Map<string, string>()
    for (const { key, name } of triggers.states()) {
      const { resource } = resources.get(key) ?? {}
      if (resource?.metadata.uid !== undefined && isFor(resource, event)) readers.set(resource.metadata.uid, name)
    }
    const reached = standings.flatMap(({ id, standing }) => {
      const name = readers.get(id)
      if (name === undefined) return []
      return [{ name, state: standing === 'settled' && hasLetter(kept, event, name) ? 'kept' : standing } as const]
    })
    return {
      position,
      attributes: event.attributes,
      arrivedAt: new Date(event.arrivedAt).toISOString(),
      dataBase64: event.data?.toString('base64') ?? null,
      triggers: reached.sort((a, b) => (a.name < b.name ? -1 : 1)),
    }
  }

  return {
    setTriggerPaused: (namespace, name, paused) =>
      cursors.setPaused(keyOf('eventing.knative.dev/v1', 'Trigger', namespace, name), paused),

    async fireSource(kind, namespace, name) {
      const groups = kind === 'PingSource' ? PING_GROUPS : CRON_JOB_GROUPS
      for (const apiVersion of groups) {
        const fired = await sources.fire(keyOf(apiVersion, kind, namespace, name))
        if (fired.kind !== 'unknown') return fired
      }
      return { kind: 'unknown' }
    },

    async findEvents(namespace, broker, id) {
      const hub = hubs.get(brokerKey(namespace, broker))
      const found = await hub?.channel.findId(id, MOST_FOUND)
      if (!hub || !found) return undefined
      const kept = found.length > 0 ? await lettersOf(hub, id) : []
      return found.map((each) => foundEvent(each, kept))
    },

    why: (namespace, broker, id, trigger) =>
      explainEvent({ hubs, cursors, triggers, resources, attempts }, namespace, broker, id, trigger),

    watch: (namespace, broker, filter, told) =>
      watchBroker({ hubs, triggers, resources, attempts }, namespace, broker, filter, told),
    tailLimits: () => settings.explain,

    async tryFilter(namespace, broker, spec, { most, trigger }) {
      const hub = hubs.get(brokerKey(namespace, broker))
      if (!hub) return 'no broker'
      if (trigger === undefined) return tryFilter(hub, spec, { most, beside: undefined })
      const beside = resources.get(keyOf('eventing.knative.dev/v1', 'Trigger', namespace, trigger))?.resource
      if (beside?.kind !== 'Trigger' || brokerNameOf(beside) !== broker) return 'no trigger'
      return tryFilter(hub, spec, { most, beside: beside.spec })
    },

    settings: () =>
      describeSettings(settings).map(({ name, value, from, description }) => ({
        name,
        value,
        origin: from,
        reloads: false,
        description,
      })),

    registerService(namespace, name, url) {
      const there = resources.get(serviceKey(namespace, name))
      if (there && there.origin !== ORIGIN) return { kind: 'taken', origin: there.origin }
      const reading = kserviceKind.read({
        apiVersion: 'serving.knative.dev/v1',
        kind: 'Service',
        metadata: { namespace, name, annotations: { 'tidings.dev/url': url } },
        spec: {},
      })
      if (reading.kind === 'valid') resources.put(reading.resource, ORIGIN)
      return { kind: 'registered' }
    },

    releaseService(namespace, name) {
      const key = serviceKey(namespace, name)
      if (resources.get(key)?.origin === ORIGIN) resources.delete(key)
    },
  }
}

function hasLetter(kept: readonly Event[], { attributes }: Event, trigger: string): boolean {
  return kept.some(({ attributes: letter }) => {
    const [, name] = causeOf(letter).reader.split('/')
    return name === trigger && letter['source'] === attributes['source']
  })
}

const PING_GROUPS = ['sources.knative.dev/v1']
const CRON_JOB_GROUPS = ['sources.knative.dev/v1', 'sources.eventing.knative.dev/v1alpha1']
