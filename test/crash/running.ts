// What a storm asks of a program that runs.
import assert from 'node:assert/strict'
import type { RuntimeStatus } from '../../src/runtime/status.ts'
import { eventually } from '../support/eventually.ts'
import type { Finished, Server } from '../support/program.ts'
import { MENDED, NAMESPACE, PAUSED, REPLAYED } from './readers.ts'

const OPEN_WITHIN_MS = 60_000
/** What waits for its key is read again for each delivery, and other work may have the machine. */
const DRAINED_WITHIN_MS = 600_000
/** More than it may drain. */
const ENDED_WITHIN_MS = 60_000
/** Those that orders are given for. */
const ORDERED: readonly string[] = [MENDED, PAUSED, REPLAYED]

/** Resolves once it takes orders: a log that is not in the process's own hands may be opened later than it says that it is ready. */
export async function untilOpen(server: Server): Promise<void> {
  const isOpen = async (): Promise<boolean> => {
    const { triggers } = await statusOf(server)
    return triggers.filter(({ name, ready }) => ORDERED.includes(name) && ready === 'True').length === ORDERED.length
  }
  await eventually(isOpen, 'its logs are open', OPEN_WITHIN_MS)
}

export async function setPaused({ adminUrl }: Server, isPaused: boolean): Promise<void> {
  const path = `/tidings/v1/triggers/${NAMESPACE}/${PAUSED}/${isPaused ? 'pause' : 'resume'}`
  const { status } = await fetch(adminUrl + path, { method: 'POST' })
  assert.equal(status, 200)
}

/** `isWaiting`: whether subscribers lack anything. A program may not have begun to read what its logs hold. */
export async function untilDrained(server: Server, isWaiting: () => boolean): Promise<void> {
  let status: RuntimeStatus | undefined
  const isDrained = async (): Promise<boolean> => {
    await new Promise((resolve) => setTimeout(resolve, 50))
    if (isWaiting()) return false
    status = await statusOf(server)
    return [...status.brokers, ...status.channels].every(({ waiting }) => waiting === 0)
  }
  await eventually(isDrained, 'nothing waits', DRAINED_WITHIN_MS).catch(async (error: unknown) => {
    status = await statusOf(server)
    const waiting = readersOf(status).filter((each) => each.waiting + each.behind + each.inFlight > 0)
    // What is missing though nothing waits is lost: that is judged.
    if (waiting.length > 0) throw new Error(`${error}: ${JSON.stringify(waiting)}`)
  })
  for (const { name, expired } of status ? readersOf(status) : []) {
    assert.equal(expired, 0, `${name}: events that were gone before they were read`)
  }
}

/** After a signal. */
export async function untilEnded({ process, finished }: Server): Promise<Finished> {
  const hasEnded = (): boolean => process.exitCode !== null || process.signalCode !== null
  await eventually(hasEnded, 'the program has ended', ENDED_WITHIN_MS)
  return finished
}

function readersOf({ triggers, subscriptions }: RuntimeStatus) {
  return [...triggers, ...subscriptions]
}

async function statusOf({ adminUrl }: Server): Promise<RuntimeStatus> {
  return (await (await fetch(`${adminUrl}/tidings/v1/status`)).json()) as RuntimeStatus
}
