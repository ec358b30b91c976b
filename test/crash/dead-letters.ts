// What the dead-letter logs of a program hold, read from its files once it has ended.
import assert from 'node:assert/strict'
import path from 'node:path'
import { logRefsOf } from '../../src/broker/broker.ts'
import { openDiskStore } from '../../src/channel/backends/disk/store.ts'
import type { EventLog } from '../../src/channel/log.ts'
import { createClock } from '../../src/core/clock.ts'
import type { Server } from '../support/program.ts'
import { BROKER_A, NAMESPACE } from './readers.ts'

/** Ends the program in order. Ids of the events in the dead-letter log of broker `a`, by the trigger they failed for. */
export async function keptFor(server: Server, folder: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const { events, deadLetters } = logRefsOf(await uidOf(server, 'a'), BROKER_A)
  server.process.kill('SIGTERM')
  const { code, err } = await server.finished
  assert.equal(code, 0, err)
  const faults: unknown[] = []
  const store = await openDiskStore({
    dir: path.join(folder, 'data'),
    clock: createClock(),
    onFault: (what, error) => faults.push(`${what}: ${error}`),
  })
  try {
    const log = await store.open(deadLetters, { capBytes: 2 ** 30 })
    assert.deepEqual(faults, [])
    assert.notEqual((await store.open(events, { capBytes: 2 ** 30 })).end('0'), 0, 'the log is the one that was used')
    return await idsByTrigger(log)
  } finally {
    await store.close()
  }
}

async function uidOf({ adminUrl }: Server, broker: string): Promise<string> {
  const answer = await fetch(`${adminUrl}/apis/eventing.knative.dev/v1/namespaces/${NAMESPACE}/brokers/${broker}`)
  const { metadata } = (await answer.json()) as { metadata: { uid: string } }
  return metadata.uid
}

async function idsByTrigger(log: EventLog): Promise<ReadonlyMap<string, readonly string[]>> {
  const ids = new Map<string, string[]>()
  const [lane] = await log.lanes()
  if (!lane || lane.start >= lane.end) return ids
  for await (const { entries, next } of log.read('0', lane.start, AbortSignal.timeout(30_000))) {
    for (const { event } of entries) {
      const [, trigger = ''] = event.attributes['tidingstrigger']?.split('/') ?? []
      ids.set(trigger, [...(ids.get(trigger) ?? []), event.attributes['id'] ?? ''])
    }
    if (next >= lane.end) break
  }
  return ids
}
