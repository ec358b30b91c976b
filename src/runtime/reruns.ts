// Reruns: what a Trigger, a Subscription or a source is handed once more. A replay has events of the log that it reads, a
// redrive those that wait for it in a dead-letter log. Each is a subscription that ends by itself, beside the live one, and
// a value in the store, so that it goes on after a restart where it stood.
import { randomUUID } from 'node:crypto'
import type { OpenBroker } from '../broker/broker.ts'
import type { LetterMatch } from '../broker/letter.ts'
import type { Channel } from '../channel/channel.ts'
import type { LaneId } from '../channel/log.ts'
import type { SubscriptionSpec } from '../channel/subscription.ts'
import { EventingError } from '../core/errors.ts'
import { kindOf, nameOf, type ResourceKey, resourceNameOf } from '../store/resource-store.ts'
import type { Cursors, Reader } from './cursors.ts'
import type { Hubs } from './hubs.ts'
import { letterFilter, redriving, replaying } from './rerun-deliveries.ts'
import { createRerunEnds } from './rerun-ends.ts'
import { aboutJob, cursorIdOf, JOB_PREFIX, type Job, type RerunStatus } from './rerun-job.ts'
import type { World } from './world.ts'

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
  /** Nothing begins any more. Resolves when what has begun or ended by now is stored. */
  close(): Promise<void>
}

interface Running {
  readonly job: Job
  readonly channel: Channel
  readonly open: Set<LaneId>
}

const MOST_RUNNING = 100
const MOST_ENDED = 20

export function createReruns(world: World, hubs: Hubs, cursors: Cursors): Reruns {
  const { values, clock, logger } = world
  const jobs = new Map<string, Job>()
  const running = new Map<string, Running>()
  const ended: RerunStatus[] = []
  /** What begins or ends now. */
  const unsettled = new Set<Promise<unknown>>()
  let isClosing = false
  const ends = createRerunEnds(world, channelOf)
  for (const [key, text] of values.entries(JOB_PREFIX)) {
    const job = JSON.parse(text) as Job
    if (!job.isOver) jobs.set(key.slice(JOB_PREFIX.length), job)
  }
  cursors.onChange((key) => {
    for (const job of [...jobs.values()]) {
      if (job.reader !== key) continue
      if (cursors.reader(key)) follow(job)
      else void cancel(job, 'what it was for is gone')
    }
  })
  hubs.onChange({
    opened(key, uid) {
      ends.opened(key, uid)
      for (const job of [...jobs.values()]) {
        if (job.hub !== key) continue
        if (uid === job.hubUid) follow(job)
        else void loseLog(job)
      }
    },
    removed(key, uid) {
      for (const job of [...jobs.values()]) if (job.hub === key && job.hubUid === uid) void loseLog(job)
      ends.removed(key, uid)
    },
  })

  /** Its reader or its log has come, or its reader has changed. */
  function follow(job: Job): void {
    const reader = cursors.reader(job.reader)
    if (!reader) return
    const run = running.get(job.id)
    if (!run) {
      start(job, reader).catch((error: unknown) =>
        logger.error({ err: error, ...aboutJob(job) }, `a ${job.kind} cannot go on`),
      )
    } else if (run.channel.subscription(cursorIdOf(job))) {
      run.channel.change(cursorIdOf(job), specOf(run, reader))
    }
  }

  /** Undefined while its log is away. */
  function channelOf({ kind, hub, hubUid }: Job): Channel | undefined {
    const open = hubs.get(hub)
    if (open?.uid !== hubUid) return undefined
    return kind === 'replay' ? open.channel : open.deadLetters.channel
  }

  async function start(job: Job, reader: Reader): Promise<void> {
    const channel = channelOf(job)
    if (!channel || running.has(job.id)) return
    const run: Running = { job, channel, open: new Set(Object.keys(job.until)) }
    running.set(job.id, run)
    try {
      await channel.subscribe(cursorIdOf(job), specOf(run, reader), job.start)
    } catch (error) {
      running.delete(job.id)
      throw error
    }
    // It may have changed meanwhile.
    const now = cursors.reader(job.reader)
    if (now && jobs.has(job.id)) channel.change(cursorIdOf(job), specOf(run, now))
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
          if (run.open.size === 0) endSoon(job)
        },
      },
      ...(reader.held !== undefined && { held: reader.held }),
    }
  }

  function begin(job: Job): Promise<string> {
    const begun = beginNow(job).finally(() => unsettled.delete(begun))
    unsettled.add(begun)
    return begun
  }

  async function beginNow(job: Job): Promise<string> {
    if (isClosing) throw new EventingError('LOG_UNAVAILABLE', 'the program stops: ask again', { retryable: true })
    if (jobs.size >= MOST_RUNNING) {
      const message = `${jobs.size} replays and redrives go on; wait for one to end, or cancel one`
      throw new EventingError('LOG_FULL', message, { retryable: true })
    }
    jobs.set(job.id, job)
    try {
      await values.put(JOB_PREFIX + job.id, JSON.stringify(job))
      const reader = cursors.reader(job.reader)
      if (!reader || !jobs.has(job.id)) throw readsNoLog(job.reader)
      await start(job, reader)
    } catch (error) {
      await close(job)
      throw error
    }
    logger.info(aboutJob(job), `a ${job.kind} begins`)
    return job.id
  }

  function endSoon(job: Job): void {
    const ended = new Promise(setImmediate).then(() => end(job)).finally(() => unsettled.delete(ended))
    unsettled.add(ended)
  }

  async function end(job: Job): Promise<void> {
    const status = await conclude(job, null)
    if (!status) return
    const { delivered, deadLettered, kept } = status
    logger.info({ ...aboutJob(job), delivered, deadLettered, kept }, `a ${job.kind} has ended`)
  }

  async function cancel(job: Job, why: string): Promise<boolean> {
    if (!(await conclude(job, why))) return false
    logger.warn({ ...aboutJob(job), why }, `a ${job.kind} was cancelled`)
    return true
  }

  async function loseLog(job: Job): Promise<void> {
    const why = `the log of ${nameOf(job.hub)} is gone`
    logger.warn({ ...aboutJob(job), why }, `a ${job.kind} was cancelled`)
    remember(job, why)
    leave(job)
    await ends.end(job, undefined)
    ends.removed(job.hub, job.hubUid)
  }

  /** Undefined when it has ended already. */
  async function conclude(job: Job, cancelled: string | null): Promise<RerunStatus | undefined> {
    // Else a crash would leave letters on the list that were delivered, and nothing that goes on with them.
    await channelNow(job)?.save()
    if (!jobs.has(job.id)) return undefined
    const status = remember(job, cancelled)
    await close(job)
    return status
  }

  function remember(job: Job, cancelled: string | null): RerunStatus {
    const status = { ...statusOf(job), held: null, endedAt: new Date(clock.wall()).toISOString(), cancelled }
    ended.unshift(status)
    ended.length = Math.min(ended.length, MOST_ENDED)
    return status
  }

  function close(job: Job): Promise<void> {
    const channel = channelNow(job)
    leave(job)
    return ends.end(job, channel)
  }

  function leave(job: Job): void {
    jobs.delete(job.id)
    running.delete(job.id)
  }

  /** Of one that goes on it is where its cursor is, also while the resource that has the log is deleted. */
  function channelNow(job: Job): Channel | undefined {
    return running.get(job.id)?.channel ?? channelOf(job)
  }

  function statusOf(job: Job): RerunStatus {
    const { id, kind, reader, startedAt, ratePerSecond } = job
    const subscription = running.get(id)?.channel.subscription(cursorIdOf(job))
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
      held: subscription ? (subscription.held ?? null) : missingFor(job),
      endedAt: null,
      cancelled: null,
    }
  }

  function missingFor({ reader, hub }: Job): string {
    const missing = hubs.get(hub) ? reader : hub
    return `${kindOf(missing)} ${nameOf(missing)} is not there`
  }

  return {
    async replay(reader, { fromMs, untilMs }, ratePerSecond) {
      const hub = cursors.reader(reader)?.hub
      const key = hub && keyOfHub(hubs, hub)
      if (!hub || !key) throw readsNoLog(reader)
      const until = await hub.channel.positionsAt(untilMs === undefined ? 'now' : { timeMs: untilMs })
      return begin({
        ...newJob('replay', reader, key, hub.uid, ratePerSecond),
        start: { timeMs: fromMs },
        until: Object.fromEntries(until),
      })
    },

    async redrive(reader, hub, letters, ratePerSecond) {
      const open = hubs.get(hub)
      if (!open) throw new EventingError('LOG_GONE', `${nameOf(hub)} has no dead-letter log now`)
      const until = await open.deadLetters.channel.positionsAt('now')
      // Nothing is waited for from here until it is among the jobs.
      const other = [...jobs.values()].find((job) => job.kind === 'redrive' && job.reader === reader && job.hub === hub)
      if (other) {
        throw new EventingError(
          'LOG_CONFLICT',
          `redrive ${other.id} for ${nameOf(reader)} goes on: wait for it, or cancel it`,
        )
      }
      return begin({
        ...newJob('redrive', reader, hub, open.uid, ratePerSecond),
        start: 'earliest',
        until: Object.fromEntries(until),
        letters,
      })
    },

    list: () => [...[...jobs.values()].map((job) => statusOf(job)), ...ended],
    async cancel(id) {
      const job = jobs.get(id)
      return job !== undefined && cancel(job, 'somebody asked for it')
    },
    async forget(key) {
      for (const job of [...jobs.values()]) {
        if (job.reader === key || job.hub === key) await cancel(job, `${nameOf(key)} is gone`)
      }
    },
    async close() {
      isClosing = true
      while (unsettled.size > 0) await Promise.allSettled(unsettled)
      await ends.settled()
    },
  }

  function newJob(kind: Job['kind'], reader: ResourceKey, hub: ResourceKey, hubUid: string, ratePerSecond?: number) {
    const id = randomUUID().slice(0, 8)
    const startedAt = clock.wall()
    return { id, kind, reader, hub, hubUid, startedAt, ...(ratePerSecond !== undefined && { ratePerSecond }) }
  }
}

function readsNoLog(reader: ResourceKey): EventingError {
  return new EventingError('LOG_GONE', `${nameOf(reader)} reads no log now`)
}

function keyOfHub(hubs: Hubs, hub: OpenBroker): ResourceKey | undefined {
  for (const [key, open] of hubs.entries()) if (open === hub) return key
  return undefined
}
