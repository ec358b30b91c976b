// What the log says of a trigger's attempts that did not deliver.
import type { Clock } from '../core/clock.ts'
import type { Failure, Progress, Step } from '../core/delivery-spec.ts'
import type { Event } from '../core/event.ts'
import type { Logger } from '../observe/logger.ts'

export interface FailureLogOptions {
  /** The fields of its lines that say whose deliveries these are: `namespace`, `broker`, `trigger`, ... */
  readonly about: Readonly<Record<string, string>>
  readonly clock: Clock
  readonly logger: Logger
}

/** The part of a delivery that the log tells of. */
interface Tried {
  readonly event: Event
  /** As it was before the attempt. */
  readonly progress: Progress
}

/** A trigger that keeps failing says so at most so often. */
const WARN_EVERY_MS = 60_000
const CODE = 'DELIVERY_REJECTED'

/**
 * One line for each event that was not delivered, `attempt` being those that its subscriber got; while attempts fail and
 * are repeated, one line a minute.
 */
export function createFailureLog(options: FailureLogOptions): (tried: Tried, step: Step) => void {
  const { clock, logger } = options
  /** Attempts made when the subscriber was given up, for the line that follows once the outcome is known. */
  const madeBefore = new WeakMap<Failure, number>()
  let quietUntil = Number.NEGATIVE_INFINITY

  return ({ event, progress }, step) => {
    const made = progress.attempt + 1
    const { failure } = progress
    if (step.kind === 'wait' && step.progress.failure !== undefined && failure === undefined) {
      madeBefore.set(step.progress.failure, made)
      return
    }
    const { id: eventId, type: eventType } = event.attributes
    const about = { ...options.about, eventId, eventType, code: CODE }
    if (step.kind === 'settled') {
      const attempt = (failure && madeBefore.get(failure)) ?? made
      logger.warn({ ...about, attempt, outcome: step.outcome, reason: step.failure?.reason }, 'not delivered')
      return
    }
    if (clock.now() < quietUntil) return
    quietUntil = clock.now() + WARN_EVERY_MS
    logger.warn({ ...about, attempt: made, reason: step.reason, retryInMs: step.delayMs }, 'attempt failed')
  }
}
