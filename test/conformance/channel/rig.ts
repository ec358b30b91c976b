// A channel over a backend's log, on a clock that stands still unless told to go on.
import { randomUUID } from 'node:crypto'
import { type Channel, type ChannelSettings, openChannel } from '../../../src/channel/channel.ts'
import type { Bounds, EventLog, LogRef, LogStore } from '../../../src/channel/log.ts'
import type { SubscriptionSpec } from '../../../src/channel/subscription.ts'
import { Budget } from '../../../src/core/budget.ts'
import { type Clock, createClock } from '../../../src/core/clock.ts'
import type { Event } from '../../../src/core/event.ts'
import { createFakeClock, type FakeClock } from '../../support/clock.ts'
import type { Backend } from '../backend.ts'
import { type Faults, withFaults } from '../faulty.ts'
import { type Answer, aSpec, aSubscriber, type Subscriber, settles } from '../subscriber.ts'
import { atRest, MiB, nextTurn } from '../support.ts'

export interface RigOptions {
  readonly capBytes?: number
  readonly expiry?: Bounds
  readonly budgetBytes?: number
  readonly settings?: Partial<ChannelSettings>
  /** Pretends that reads at the head cost I/O, so that the fan-out keeps recent entries itself. */
  readonly readsCostIo?: boolean
  /** For properties about real time. Default: a clock that only `advance` moves. */
  readonly realTime?: boolean
  /** Takes up its lanes after the first subscription, as a process does that starts with what it had. */
  readonly startsLater?: boolean
}

/** A channel over a backend's log, with the faults of faulty.ts between them. */
export interface Rig {
  readonly store: LogStore
  readonly ref: LogRef
  readonly log: EventLog
  readonly faults: Faults
  readonly clock: Clock
  readonly budget: Budget
  readonly channel: Channel
  advance(ms: number): Promise<void>
  /** The wall clock is set forward, or back; the monotonic one goes on as before. */
  jumpWall(ms: number): void
  /** Timers that the channel has set; 0 in real time. */
  timers(): number
  /** Subscribes a scripted subscriber and returns it. */
  subscribe(id: string, answer?: Answer, options?: Partial<SubscriptionSpec>, start?: Start): Promise<Subscriber>
  /** `count` scripted subscribers with ids `<prefix>0`, `<prefix>1`, ... */
  subscribeMany(
    count: number,
    prefix: string,
    answer?: Answer,
    options?: Partial<SubscriptionSpec>,
  ): Promise<readonly Subscriber[]>
  sendAll(list: readonly Event[]): Promise<void>
  /** Fake time goes on until the promise settles. */
  whileTicking<T>(promise: Promise<T>): Promise<T>
  /** Another channel over the same log and clock, as after a restart: this one was closed, or loses all it had not saved. */
  restart(after: 'close' | 'crash'): Promise<Rig>
}

export type Start = Parameters<Channel['subscribe']>[2]

const opened = new Set<Rig>()

/** A fresh store and log on a backend, and a channel on it. `closeRigs` closes what a test leaves open. */
export async function openRig(backend: Backend, options: RigOptions = {}): Promise<Rig> {
  const fake = options.realTime ? undefined : createFakeClock(Date.now())
  const wall = { jumpedMs: 0 }
  const clock = jumping(fake ?? createClock(), wall)
  const store = await backend.open()
  const ref = { uid: randomUUID(), name: `default/${randomUUID().slice(0, 8)}` }
  return openOn({ store, ref, clock, wall, fake, options })
}

function jumping(clock: Clock, wall: { readonly jumpedMs: number }): Clock {
  return { ...clock, wall: () => clock.wall() + wall.jumpedMs }
}

interface Ground {
  readonly store: LogStore
  readonly ref: LogRef
  readonly clock: Clock
  readonly wall: { jumpedMs: number }
  readonly fake: FakeClock | undefined
  readonly options: RigOptions
}

async function openOn(ground: Ground): Promise<Rig> {
  const { store, ref, clock, wall, fake, options } = ground
  const { capBytes = 64 * MiB, expiry } = options
  const inner = await store.open(ref, { capBytes, ...(expiry && { expiry }) })
  const { log, faults } = withFaults(inner)
  const budget = new Budget(options.budgetBytes ?? 64 * MiB)
  const traits = { ...store.traits, readsCostIo: options.readsCostIo ?? store.traits.readsCostIo }
  const { settings } = options
  const channel = openChannel({ name: ref.name, log, traits, clock, budget, ...(settings ? { settings } : {}) })
  if (!options.startsLater) channel.start()
  const rig: Rig = {
    store,
    ref,
    log,
    faults,
    clock,
    budget,
    channel,
    advance: (ms) => (fake ? advance(fake, ms) : clock.sleep(ms)),
    jumpWall: (ms) => {
      wall.jumpedMs += ms
    },
    timers: () => fake?.pending() ?? 0,
    async subscribe(id, answer = settles, specOptions = {}, start = undefined) {
      const subscriber = aSubscriber(clock, answer)
      await rig.whileTicking(channel.subscribe(id, aSpec(subscriber.deliver, specOptions), start))
      channel.start()
      return subscriber
    },
    async subscribeMany(count, prefix, answer = settles, specOptions = {}) {
      const subscribers = Array.from({ length: count }, () => aSubscriber(clock, answer))
      const subscribing = subscribers.map(({ deliver }, i) =>
        channel.subscribe(`${prefix}${i}`, aSpec(deliver, specOptions)),
      )
      await rig.whileTicking(Promise.all(subscribing))
      return subscribers
    },
    async sendAll(list) {
      await Promise.all(list.map((event) => channel.send(event)))
      await atRest()
    },
    async whileTicking(promise) {
      let settled = false
      const done = promise.finally(() => {
        settled = true
      })
      done.catch(() => {}) // the caller awaits it below
      while (!settled) await (fake ? advance(fake, 10) : nextTurn())
      return done
    },
    async restart(after) {
      if (after === 'close') await rig.whileTicking(channel.close({ drainMs: 0 }))
      else faults.crash()
      opened.delete(rig)
      return openOn({ ...ground, options: { ...options, startsLater: true } })
    },
  }
  opened.add(rig)
  return rig
}

/** Before it goes on, and once it did, a server has answered what it was asked: no time passes meanwhile. */
async function advance(fake: FakeClock, ms: number): Promise<void> {
  await atRest()
  const steps = ms <= LONGEST_IN_STEPS_MS ? Math.ceil(ms / STEP_MS) : 1
  for (let step = 0; step < steps; step++) {
    await fake.advance(ms / steps)
    await atRest()
  }
}

const STEP_MS = 250
const LONGEST_IN_STEPS_MS = 20_000

export async function closeRigs(): Promise<void> {
  for (const rig of opened) {
    opened.delete(rig)
    await rig.whileTicking(rig.channel.close({ drainMs: 0 }))
    await rig.store.close()
  }
}
