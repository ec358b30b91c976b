// A scripted subscriber: it notes every attempt, and settles, waits or hangs as it is told.
import type { Deliver, Delivery, SubscriptionSpec } from '../../src/channel/subscription.ts'
import type { Clock } from '../../src/core/clock.ts'
import type { Step } from '../../src/core/delivery-spec.ts'
import type { Event } from '../../src/core/event.ts'
import { everything, type Gate, idOf } from './support.ts'

/** What a scripted subscriber does with an attempt; `nth` counts this subscriber's attempts at the same event from 1. */
export type Answer = (delivery: Delivery, nth: number) => Step | Promise<Step>

const DELIVERED: Step = { kind: 'settled', outcome: 'delivered' }

export const settles: Answer = () => DELIVERED

export function waits(delayMs: number): Answer {
  return ({ progress }) => ({
    kind: 'wait',
    delayMs,
    progress: { attempt: progress.attempt + 1 },
    reason: 'HTTP 503',
  })
}

/** Never answers; gives up when told to. */
export const hangs: Answer = ({ signal }) =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })

/** Answers one way for the events whose id is listed, another way for all others. */
export function answersFor(ids: readonly string[], answer: Answer, otherwise: Answer = settles): Answer {
  return (delivery, nth) => (ids.includes(idOf(delivery.event)) ? answer(delivery, nth) : otherwise(delivery, nth))
}

/** Holds every attempt until the gate opens, then takes it. */
export function settlesAfter(gate: Gate): Answer {
  return async () => {
    await gate.opened
    return DELIVERED
  }
}

export interface Attempt {
  readonly id: string
  readonly event: Event
  /** `progress.attempt` as it was handed in. */
  readonly attempt: number
  /** Clock time of the hand-out, ms. */
  readonly at: number
  readonly delivery: Delivery
}

export interface Subscriber {
  readonly deliver: Deliver
  readonly attempts: readonly Attempt[]
  /** Event ids in the order in which they were handed out, repetitions included. */
  readonly ids: readonly string[]
  /** Ids in the order in which they were settled. */
  readonly settledIds: readonly string[]
  readonly running: number
  readonly mostRunning: number
}

export function aSubscriber(clock: Clock, answer: Answer = settles): Subscriber {
  const attempts: Attempt[] = []
  const ids: string[] = []
  const settledIds: string[] = []
  const attemptsOf = new Map<string, number>()
  let running = 0
  let mostRunning = 0

  async function attempt(delivery: Delivery): Promise<Step> {
    const id = idOf(delivery.event)
    const nth = (attemptsOf.get(id) ?? 0) + 1
    attemptsOf.set(id, nth)
    ids.push(id)
    attempts.push({ id, event: delivery.event, attempt: delivery.progress.attempt, at: clock.now(), delivery })
    mostRunning = Math.max(mostRunning, ++running)
    try {
      const step = await answer(delivery, nth)
      if (step.kind === 'settled') settledIds.push(id)
      return step
    } finally {
      running--
    }
  }

  return {
    attempts,
    ids,
    settledIds,
    get running() {
      return running
    },
    get mostRunning() {
      return mostRunning
    },
    deliver(delivery) {
      attempt(delivery).then(
        (step) => delivery.done(step),
        (fault) => delivery.failed(fault),
      )
    },
  }
}

export function aSpec(deliver: Deliver, options: Partial<SubscriptionSpec> = {}): SubscriptionSpec {
  return { filter: everything, ordered: false, maxInFlight: 64, maxUnsettled: 1_000, ...options, deliver }
}
