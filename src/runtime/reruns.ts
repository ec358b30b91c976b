// Reruns: what a Trigger, a Subscription or a source is handed once more. A replay has events of the log that it reads, a
// redrive those that wait for it in a dead-letter log. Each is a subscription that ends by itself, beside the live one, and
// a value in the store, so that it goes on after a restart where it stood.
import { randomUUID } from 'node:crypto'
import type { OpenBroker } from '../broker/broker.ts'
import type { LetterMatch } from '../broker/letter.ts'
import type { Channel } from '../channel/channel.ts'
import type { CursorStart, LaneId, Position } from '../channel/log.ts'
import type { SubscriptionSpec } from '../channel/subscription.ts'
import { EventingError } from '../core/errors.ts'
import { nameOf, type ResourceKey, type ResourceName, resourceNameOf } from '../store/resource-store.ts'
import type { Cursors, Reader } from './cursors.ts'
import type { Hubs } from './hubs.ts'
import { letterFilter, redriving, replaying } from './rerun-deliveries.ts'
import type { World } from './world.ts'

/** As it is stored. */
interface Job {
  readonly id: string
  readonly kind: 'replay' | 'redrive'
  /** Who is handed the events. */
  readonly reader: ResourceKey
  /** Whose log, or dead-letter log, has them. */
  readonly hub: ResourceKey
  readonly startedAt: number
  readonly start: CursorStart
  readonly until: Readonly<Record<LaneId, Position>>
  readonly ratePerSecond?: number
  /** Of a redrive. */
  readonly letters?: LetterMatch
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

export interface Reruns {
  /** From `fromMs` to `untilMs`, both arrival times as epoch ms; what is stored later is no part of it. */
  replay(
    reader: ResourceKey,
    range: { readonly fromMs: number; readonly untilMs?: number },
    rate?: number,
  ): Promise<string>
  /** What waits now in the dead-letter log of `hub` for this reader, and is meant. */
  redrive(reader: ResourceKey, hub: ResourceKey, letters: LetterMatch, rate?: number): Promise<string>
  /** Those that go on, and those that ended last. */
  list(): readonly RerunStatus[]
  /** What it handed out stays so. False when none of that id goes on. */
  cancel(id: string): Promise<boolean>
  /** Nothing is left of the resource that had this key: cancels what was for it, or of its log. */
  forget(key: ResourceKey): Promise<void>
}

interface Running {
  readonly job: Job
  readonly channel: Channel
  readonly open: Set<LaneId>
}

const KEY_PREFIX = 'rerun/'
const MOST_RUNNING = 100
const MOST_ENDED = 20

export function createReruns(world: World, hubs: Hubs, cursors: Cursors): Reruns {
  const { values, clock, logger } = world
  const jobs = new Map<string, Job>()
  const running = new Map<string, Running>()
  const ended: RerunStatus[] = []
  for (const [key, text] of values.entries(KEY_PREFIX)) jobs.set(key.slice(KEY_PREFIX.length), JSON.parse(text) as Job)
  cursors.onChange((key) => {
    for (const job of jobs.values()) if (job.reader === key) follow(job)
  })

  /** Its reader has come, changed or gone. */
  function follow(job: Job): void {
    const reader = cursors.reader(job.reader)
    const run = running.get(job.id)
    if (!reader) {
      if (run) void cancel(job.id, 'what it was for is gone')
      return
    }
    if (run) run.channel.change(cursorId(job), specOf(run, reader))
    else
      start(job, reader).catch((error: unknown) =>
        logger.error({ err: error, ...about(job) }, `a ${job.kind} cannot go on`),
      )
  }

  function channelOf({ kind, hub }: Job): Channel | undefined {
    const open = hubs.get(hub)
    return kind === 'replay' ? open?.channel : open?.deadLetters.channel
  }

  async function start(job: Job, reader: Reader): Promise<void> {
    const channel = channelOf(job)
    if (!channel || running.has(job.id)) return
    const run: Running = { job, channel, open: new Set(Object.keys(job.until)) }
    running.set(job.id, run)
    try {
      await channel.subscribe(cursorId(job), specOf(run, reader), job.start)
    } catch (error) {
      running.delete(job.id)
      throw error
    }
    // It may have changed meanwhile.
    const now = cursors.reader(job.reader)
    if (now && now !== reader && jobs.has(job.id)) channel.change(cursorId(job), specOf(run, now))
  }

  function specOf(run: Running, reader: Reader): SubscriptionSpec {
    const { job } = run
    const { ordered, maxInFlight, maxUnsettled, filter } = reader.spec
    return {
      filter: job.kind === 'replay' ? filter : letterFilter({ ...job.letters, reader: nameOf(job.reader) }),
      ordered,
      maxInFlight,
      maxUnsettled,
      deliver:
        job.kind === 'replay' ? replaying(job.id, reader) : redriving(() => hubs.get(job.hub)?.deadLetters, reader),
      bounds: {
        until: new Map(Object.entries(job.until)),
        ...(job.ratePerSecond !== undefined && { ratePerSecond: job.ratePerSecond }),
        ended(lane) {
          run.open.delete(lane)
          if (run.open.size === 0) setImmediate(() => void end(job))
        },
      },
      ...(reader.held !== undefined && { held: reader.held }),
    }
  }

  async function begin(job: Job): Promise<string> {
    const reader = cursors.reader(job.reader)
    if (!reader) throw new EventingError('LOG_GONE', `${nameOf(job.reader)} reads no log now`)
    if (jobs.size >= MOST_RUNNING) {
      const message = `${jobs.size} replays and redrives go on; wait for one to end, or cancel one`
      throw new EventingError('LOG_FULL', message, { retryable: true })
    }
    jobs.set(job.id, job)
    try {
      await values.put(KEY_PREFIX + job.id, JSON.stringify(job))
      await start(job, reader)
    } catch (error) {
      jobs.delete(job.id)
      await values.delete(KEY_PREFIX + job.id).catch(() => undefined)
      throw error
    }
    logger.info(about(job), `a ${job.kind} begins`)
    return job.id
  }

  async function end(job: Job): Promise<void> {
    const status = await conclude(job, null)
    if (!status) return
    const { delivered, deadLettered, kept } = status
    logger.info({ ...about(job), delivered, deadLettered, kept }, `a ${job.kind} has ended`)
  }

  async function cancel(id: string, why: string): Promise<boolean> {
    const job = jobs.get(id)
    if (!job || !(await conclude(job, why))) return false
    logger.warn({ ...about(job), why }, `a ${job.kind} was cancelled`)
    return true
  }

  /** Undefined when it has ended already. */
  async function conclude(job: Job, cancelled: string | null): Promise<RerunStatus | undefined> {
    // Else a crash would leave letters on the list that were delivered, and nothing that goes on with them.
    await attempt(job, 'what it came to is stored', channelNow(job)?.save())
    if (!jobs.has(job.id)) return undefined
    const status = { ...statusOf(job), held: null, endedAt: new Date(clock.wall()).toISOString(), cancelled }
    ended.unshift(status)
    ended.length = Math.min(ended.length, MOST_ENDED)
    await forget(job)
    return status
  }

  /** The cursor goes first: one without its job would hold its log for ever. */
  async function forget(job: Job): Promise<void> {
    const channel = channelNow(job)
    jobs.delete(job.id)
    running.delete(job.id)
    await attempt(job, 'its cursor is dropped', channel?.unsubscribe(cursorId(job)))
    await attempt(job, 'it is forgotten', values.delete(KEY_PREFIX + job.id))
  }

  /** Of one that goes on it is where its cursor is, also while the resource that has the log is deleted. */
  function channelNow(job: Job): Channel | undefined {
    return running.get(job.id)?.channel ?? channelOf(job)
  }

  /** What fails is told, and no reason not to go on: at worst some of it comes again after a restart. */
  async function attempt(job: Job, what: string, outcome: Promise<void> | undefined): Promise<void> {
    await outcome?.catch((error: unknown) => {
      logger.error({ err: error, ...about(job) }, `the end of a ${job.kind}: it failed that ${what}`)
    })
  }

  function statusOf({ id, kind, reader, startedAt, ratePerSecond }: Job): RerunStatus {
    const subscription = running.get(id)?.channel.subscription(cursorId({ kind, id }))
    const stats = subscription?.stats
    return {
      id,
      kind,
      reader: resourceNameOf(reader),
      startedAt: new Date(startedAt).toISOString(),
      ratePerSecond: ratePerSecond ?? null,
      delivered: stats?.delivered ?? 0,
      deadLettered: stats?.deadLettered ?? 0,
      kept: stats?.kept ?? 0,
      unsettled: subscription?.unsettled ?? 0,
      unread: subscription?.unread ?? 0,
      lastFailure: stats?.lastFailure?.reason ?? null,
      held: subscription ? (subscription.held ?? null) : `${nameOf(reader)} is not there`,
      endedAt: null,
      cancelled: null,
    }
  }

  return {
    async replay(reader, { fromMs, untilMs }, ratePerSecond) {
      const hub = cursors.reader(reader)?.hub
      const key = hub && keyOfHub(hubs, hub)
      if (!hub || !key) throw new EventingError('LOG_GONE', `${nameOf(reader)} reads no log now`)
      const until = await hub.channel.positionsAt(untilMs === undefined ? 'now' : { timeMs: untilMs })
      return begin({
        ...newJob('replay', reader, key, ratePerSecond),
        start: { timeMs: fromMs },
        until: Object.fromEntries(until),
      })
    },

    async redrive(reader, hub, letters, ratePerSecond) {
      const channel = hubs.get(hub)?.deadLetters.channel
      if (!channel) throw new EventingError('LOG_GONE', `${nameOf(hub)} has no dead-letter log now`)
      const other = [...jobs.values()].find((job) => job.kind === 'redrive' && job.reader === reader && job.hub === hub)
      if (other) {
        throw new EventingError(
          'LOG_CONFLICT',
          `redrive ${other.id} for ${nameOf(reader)} goes on: wait for it, or cancel it`,
        )
      }
      const until = await channel.positionsAt('now')
      return begin({
        ...newJob('redrive', reader, hub, ratePerSecond),
        start: 'earliest',
        until: Object.fromEntries(until),
        letters,
      })
    },

    list: () => [...[...jobs.values()].map((job) => statusOf(job)), ...ended],
    cancel: (id) => cancel(id, 'somebody asked for it'),
    async forget(key) {
      for (const { id, reader, hub } of [...jobs.values()]) {
        if (reader === key || hub === key) await cancel(id, `${nameOf(key)} is gone`)
      }
    },
  }

  function newJob(kind: Job['kind'], reader: ResourceKey, hub: ResourceKey, ratePerSecond: number | undefined) {
    const id = randomUUID().slice(0, 8)
    return { id, kind, reader, hub, startedAt: clock.wall(), ...(ratePerSecond !== undefined && { ratePerSecond }) }
  }
}

function cursorId({ kind, id }: Pick<Job, 'kind' | 'id'>): string {
  return `${kind}-${id}`
}

function about({ id, kind, reader }: Job): Readonly<Record<string, string>> {
  return { [kind]: id, resource: reader }
}

function keyOfHub(hubs: Hubs, hub: OpenBroker): ResourceKey | undefined {
  for (const [key, open] of hubs.entries()) if (open === hub) return key
  return undefined
}
