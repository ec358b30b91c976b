// Sources with a schedule: what they emit is kept in a log of their own first, which one cursor takes to the sink, so that a
// sink that is down is retried, and asked again for what nobody took, as any subscriber is.
import type { OpenBroker } from '../broker/broker.ts'
import { nextTime, parseSchedule, type Schedule } from '../core/cron.ts'
import type { Route } from '../core/delivery-spec.ts'
import type { Event } from '../core/event.ts'
import { compileTriggerFilter } from '../filter/dialects.ts'
import { createSubscriptionDeliver } from '../messaging/subscription.ts'
import type { Histogram } from '../observe/histogram.ts'
import { deadLetterSinkOf, deliveryOf, ONE_ATTEMPT } from '../resource/delivery-policy.ts'
import { cronJobSinkOf } from '../resource/kinds/cron-job-source.ts'
import { pingExtensionsOf, pingScheduleOf } from '../resource/kinds/ping-source.ts'
import { namespaceOf } from '../resource/metadata.ts'
import { catchUpOf } from '../resource/schedule.ts'
import { cronJobEvent } from '../source/cron-job.ts'
import { pingEvent } from '../source/ping.ts'
import { type CatchUp, type RunningSchedule, startSchedule } from '../source/schedule.ts'
import type { Tick } from '../source/tick.ts'
import type { Entry, ResourceKey } from '../store/resource-store.ts'
import type { Fired } from './admin.ts'
import type { Cursors } from './cursors.ts'
import { createDurations } from './durations.ts'
import { createFailureLog } from './failure-log.ts'
import { firedUntil, forgetFired, keepFiredUntil } from './fired-times.ts'
import type { Hubs } from './hubs.ts'
import type { Look } from './reconcile.ts'
import { type Resolution, resolve } from './resolve.ts'
import { conditionsOf, findingsOf, type ScheduledSource, statusOf } from './source-status.ts'
import { uidOf, type World, writeStatus } from './world.ts'

/** A source while it runs. What changes with its manifest is read at every tick and attempt. */
export interface SourceState {
  readonly key: ResourceKey
  readonly kind: ScheduledSource['kind']
  readonly namespace: string
  readonly name: string
  readonly durations: Histogram
  entry: Entry<ScheduledSource>
  /** Absent while its sink is unresolved: nothing is emitted then. */
  route: Route | undefined
  open: OpenBroker | undefined
  emitted: number
  /** Times that its log did not take, or that were too many to catch up with; while its sink is away none is counted. */
  missed: number
  timing: Timing
  /** Epoch ms. */
  times(): { readonly lastAt: number | undefined; readonly nextAt: number | undefined }
}

export interface Sources {
  reconcile(key: ResourceKey, entry: Entry<ScheduledSource> | undefined, look: Look): Promise<void>
  states(): Iterable<SourceState>
  /** Emits one event now, beside the schedule. */
  fire(key: ResourceKey): Promise<Fired>
  /** Nothing is emitted after it returns. */
  close(): void
}

/** When a source fires, and what became of it. */
interface Timing {
  readonly text: string
  readonly schedule: Schedule
  readonly catchUp: CatchUp
  running: RunningSchedule | undefined
  lastAt: number | undefined
  /** All times up to here are done with, as far as a restart knows. Absent before it first could fire. */
  doneAt: number | undefined
}

const EVERYTHING = {}
const HOUR_MS = 3_600_000

export function createSources(world: World, hubs: Hubs, cursors: Cursors): Sources {
  const { settings, clock, logger, values } = world
  const sources = new Map<ResourceKey, SourceState>()
  let isClosed = false
  const durationsOf = createDurations(() => sources.size)

  function newState(entry: Entry<ScheduledSource>): SourceState {
    const { key, resource } = entry
    const { kind } = resource
    const namespace = namespaceOf(resource)
    const state: SourceState = {
      key,
      kind,
      namespace,
      name: resource.metadata.name,
      durations: durationsOf(`${namespace}/${kind}`),
      entry,
      route: undefined,
      open: undefined,
      emitted: 0,
      missed: 0,
      timing: timingFor(entry),
      times: () => ({
        lastAt: state.timing.lastAt,
        nextAt: state.timing.running && nextTime(state.timing.schedule, clock.wall()),
      }),
    }
    sources.set(key, state)
    return state
  }

  /** A schedule that stays goes on from its last time; another one starts anew. */
  function retime(state: SourceState, entry: Entry<ScheduledSource>): void {
    const before = state.timing
    const timing = timingFor(entry)
    if (timing.text === before.text && timing.catchUp === before.catchUp) return
    before.running?.stop()
    const isSame = timing.text === before.text
    state.timing = isSame ? { ...timing, lastAt: before.lastAt, doneAt: before.doneAt } : timing
  }

  function timingFor({ key, resource }: Entry<ScheduledSource>): Timing {
    const timing = timingOf(resource, settings.source.catchUp)
    const doneAt = firedUntil(values, key, resource.metadata.uid ?? '', timing.text) ?? Infinity
    // A time that is far ahead is a wrong clock's.
    return doneAt - clock.wall() > HOUR_MS ? timing : { ...timing, doneAt }
  }

  function run(state: SourceState): void {
    const { timing } = state
    if (!state.route) {
      timing.running?.stop()
      timing.running = undefined
      return
    }
    if (timing.running) return
    if (timing.doneAt === undefined || timing.catchUp === 'none') done(state, clock.wall())
    const lastAt = timing.lastAt ?? timing.doneAt
    timing.running = startSchedule({
      schedule: timing.schedule,
      clock,
      ...(lastAt !== undefined && { lastAt }),
      catchUp: timing.catchUp,
      catchUpMax: settings.source.catchUpMax,
      onTick(scheduledAt) {
        timing.lastAt = scheduledAt
        void emit(state, scheduledAt).then((event) => event && state.timing === timing && done(state, scheduledAt))
      },
      onSkipped: (count) => miss(state, count, 'times passed while nothing could be emitted'),
    })
  }

  /** Not waited for: what a restart does not know of fires again, with the same id. */
  function done({ key, entry, timing }: SourceState, at: number): void {
    if (timing.doneAt !== undefined && timing.doneAt >= at) return
    timing.doneAt = at
    keepFiredUntil(values, key, { at, uid: uidOf(entry), schedule: timing.text }).catch((error: unknown) =>
      logger.warn({ err: error, resource: key }, 'when a source fired is not stored: a restart may fire again'),
    )
  }

  /** Resolves with the event once it is kept. */
  async function emit(state: SourceState, scheduledAt: number): Promise<Event | undefined> {
    const event = eventOf(state, { scheduledAt, now: clock.wall() })
    try {
      if (!state.open || isClosed) throw new Error('nothing is emitted now')
      await state.open.channel.send(event)
      state.emitted++
      return event
    } catch (error) {
      miss(state, 1, error instanceof Error ? error.message : String(error))
      return undefined
    }
  }

  function miss(state: SourceState, count: number, reason: string): void {
    const { namespace, name, kind } = state
    state.missed += count
    logger.warn({ namespace, kind, name, count, reason }, 'a source missed times of its schedule')
  }

  async function place(entry: Entry<ScheduledSource>, state: SourceState, open: OpenBroker): Promise<void> {
    const { namespace, name, kind, durations } = state
    const { maxInFlight, maxUnsettled } = settings.delivery
    await cursors.place(state.key, {
      uid: uidOf(entry),
      hub: open,
      filterSource: EVERYTHING,
      spec: {
        filter: compileTriggerFilter(EVERYTHING),
        ordered: false,
        maxInFlight,
        maxUnsettled,
        ...(!state.route && { held: 'its sink is not resolved' }),
      },
      deliverTo: (deadLetters) =>
        createSubscriptionDeliver({
          name: `${namespace}/${name}`,
          route: () => {
            if (!state.route) throw new Error('its sink is not resolved')
            return state.route
          },
          deadLetters,
          client: world.client,
          clock,
          durations,
          onFailure: createFailureLog({ about: { namespace, kind, source: name }, clock, logger }),
          onAttempt: world.attempts.recorder({ kind, namespace, name, hub: open.uid }),
        }),
    })
  }

  return {
    async reconcile(key, entry, look) {
      if (!entry) {
        sources.get(key)?.timing.running?.stop()
        sources.delete(key)
        await forgetFired(values, key)
        await cursors.delete(key)
        return hubs.delete(key)
      }
      const { resource } = entry
      const state = sources.get(key) ?? newState(entry)
      state.entry = entry
      retime(state, entry)
      const sink = resolve(sinkOf(resource), look, world.dataUrl)
      const deadLetterManifest = deadLetterSinkOf(resource, {})
      const deadLetterSink = deadLetterManifest && resolve(deadLetterManifest, look, world.dataUrl)
      const opened = await hubs.open(entry, look)
      state.open = opened.kind === 'open' ? opened.hub : undefined
      state.route = state.open && routeOf(resource, sink, deadLetterSink, world)
      if (state.open) await place(entry, state, state.open)
      run(state)
      writeStatus(
        world,
        entry,
        conditionsOf(resource),
        findingsOf(resource, sink, deadLetterSink, opened),
        statusOf(resource, sink),
      )
    },
    states: () => sources.values(),
    async fire(key) {
      const state = sources.get(key)
      if (!state) return { kind: 'unknown' }
      const { route } = state
      if (!route)
        return { kind: 'refused', reason: 'its sink is not resolved, or its log not open: tidings describe says why' }
      const event = await emit(state, clock.wall())
      if (!event) return { kind: 'refused', reason: 'its log takes nothing now: tidings status says why' }
      return { kind: 'fired', eventId: event.attributes['id'] ?? '', sink: route.subscriber.url }
    },
    close() {
      isClosed = true
      for (const { timing } of sources.values()) timing.running?.stop()
    },
  }
}

function timingOf(resource: ScheduledSource, catchUp: CatchUp): Timing {
  const { schedule: text, timezone } = scheduleOf(resource)
  const grammar = resource.kind === 'PingSource' ? 'ping' : 'cron-job'
  return {
    text: `${timezone ?? ''} ${text}`,
    schedule: parseSchedule(text, { grammar, ...(timezone !== undefined && { timezone }) }),
    catchUp: catchUpOf(resource) ?? catchUp,
    running: undefined,
    lastAt: undefined,
    doneAt: undefined,
  }
}

function scheduleOf(resource: ScheduledSource): { readonly schedule: string; readonly timezone?: string } {
  return resource.kind === 'PingSource' ? pingScheduleOf(resource) : { schedule: resource.spec.schedule }
}

function sinkOf(resource: ScheduledSource) {
  return resource.kind === 'PingSource' ? resource.spec.sink : cronJobSinkOf(resource)
}

function eventOf({ entry, namespace, name }: SourceState, tick: Tick): Event {
  const identity = { uid: uidOf(entry), namespace, name }
  const { resource } = entry
  if (resource.kind === 'CronJobSource') {
    const { data } = resource.spec
    return cronJobEvent({ ...identity, ...(data !== undefined && { data }) }, tick)
  }
  const { contentType, data, dataBase64 } = resource.spec
  return pingEvent(
    {
      ...identity,
      ...(contentType !== undefined && { contentType }),
      ...(data !== undefined && { data }),
      ...(dataBase64 !== undefined && { dataBase64 }),
      extensions: pingExtensionsOf(resource),
    },
    tick,
  )
}

function routeOf(
  resource: ScheduledSource,
  sink: Resolution,
  deadLetterSink: Resolution | undefined,
  { settings }: World,
): Route | undefined {
  if (sink.kind === 'unresolved' || deadLetterSink?.kind === 'unresolved') return undefined
  return {
    ...deliveryOf(resource, {}, settings.delivery, ONE_ATTEMPT),
    subscriber: sink.target,
    ...(deadLetterSink && { deadLetterSink: deadLetterSink.target }),
    namespace: namespaceOf(resource),
  }
}
