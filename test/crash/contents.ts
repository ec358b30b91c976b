// What the logs of a program hold, read once it has ended.
import assert from 'node:assert/strict'
import { logRefsOf } from '../../src/broker/broker.ts'
import type { EventLog, LogRef, LogStore } from '../../src/channel/log.ts'
import type { Event } from '../../src/core/event.ts'
import type { Server } from '../support/program.ts'
import type { Host } from './host.ts'
import { BROKER_A, BROKER_B, CHANNEL, NAMESPACE } from './readers.ts'
import { untilEnded } from './running.ts'

export interface Contents {
  /** Ids of the events in the dead-letter log of broker `a`, by the trigger that they failed for. */
  readonly deadLetters: ReadonlyMap<string, readonly string[]>
  /** By target, how often each event is stored; absent where logs forget what is settled. */
  readonly stored: ReadonlyMap<string, ReadonlyMap<string, number>> | undefined
}

/** Where the resources that own a target's log are shown. */
const OWNERS: Readonly<Record<string, string>> = {
  [BROKER_A]: `eventing.knative.dev/v1/namespaces/${NAMESPACE}/brokers/a`,
  [BROKER_B]: `eventing.knative.dev/v1/namespaces/${NAMESPACE}/brokers/b`,
  [CHANNEL]: `messaging.knative.dev/v1/namespaces/${NAMESPACE}/inmemorychannels/relay`,
}
const CONFIG = { capBytes: 2 ** 30 }

/** Ends the program in order. */
export async function contentsOf(server: Server, host: Host): Promise<Contents> {
  const refs = new Map<string, ReturnType<typeof logRefsOf>>()
  for (const target of Object.keys(OWNERS)) refs.set(target, logRefsOf(await ownerOf(server, target), target))
  server.process.kill('SIGTERM')
  const { code, err } = await untilEnded(server)
  assert.equal(code, 0, err)
  const store = await host.openStore()
  try {
    const { events, deadLetters } = refs.get(BROKER_A) ?? assert.fail()
    assert.ok(
      (await endsOf(store, events)).some((end) => end > 0),
      'the log is the one that was used',
    )
    const byTrigger = new Map<string, string[]>()
    for await (const { attributes } of eventsOf(await store.open(deadLetters, CONFIG))) {
      const [, trigger = ''] = attributes['tidingstrigger']?.split('/') ?? []
      byTrigger.set(trigger, [...(byTrigger.get(trigger) ?? []), attributes['id'] ?? ''])
    }
    return { deadLetters: byTrigger, stored: host.keepsAll ? await storedIn(store, refs) : undefined }
  } finally {
    await store.close()
  }
}

async function storedIn(
  store: LogStore,
  refs: ReadonlyMap<string, { readonly events: LogRef }>,
): Promise<ReadonlyMap<string, ReadonlyMap<string, number>>> {
  const stored = new Map<string, Map<string, number>>()
  for (const [target, { events }] of refs) {
    const times = new Map<string, number>()
    for await (const { attributes } of eventsOf(await store.open(events, CONFIG))) {
      const id = attributes['id'] ?? ''
      times.set(id, (times.get(id) ?? 0) + 1)
    }
    stored.set(target, times)
  }
  return stored
}

async function endsOf(store: LogStore, ref: LogRef): Promise<readonly number[]> {
  return (await (await store.open(ref, CONFIG)).lanes()).map(({ end }) => end)
}

async function* eventsOf(log: EventLog): AsyncGenerator<Event> {
  for (const lane of await log.lanes()) {
    if (lane.start >= lane.end) continue
    for await (const { entries, next } of log.read(lane.id, lane.start, AbortSignal.timeout(60_000))) {
      for (const { event } of entries) yield event
      if (next >= lane.end) break
    }
  }
}

async function ownerOf({ adminUrl }: Server, target: string): Promise<string> {
  const answer = await fetch(`${adminUrl}/apis/${OWNERS[target]}`)
  const { metadata } = (await answer.json()) as { metadata: { uid: string } }
  return metadata.uid
}
