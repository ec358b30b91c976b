// The end of a runtime's brokers: what can still be delivered is, what waits in memory is said to be lost.
import type { OpenBroker } from '../broker/broker.ts'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../observe/logger.ts'

const POLL_MS = 20

/**
 * Resolves when no broker has anything left to hand out soon, or at `deadline` (of `clock.now()`). All together: what one
 * broker delivers may be another's next event.
 */
export async function untilDelivered(brokers: readonly OpenBroker[], clock: Clock, deadline: number): Promise<void> {
  while (brokers.some(({ channel }) => channel.isDelivering()) && clock.now() < deadline) await clock.sleep(POLL_MS)
}

/** Saves and closes; what waits in memory is gone with the process, and that is never silent. */
export async function endBroker(broker: OpenBroker, drainMs: number, logger: Logger): Promise<void> {
  const { namespace, name, traits, channel, deadLetters, close } = broker
  await close(drainMs)
  if (traits.survives !== 'nothing') return
  const { waiting } = channel.status()
  const deadLettersWaiting = deadLetters.status().waiting
  if (waiting + deadLettersWaiting === 0) return
  logger.error({ namespace, broker: name, waiting, deadLettersWaiting }, 'events that waited in memory are lost')
}
