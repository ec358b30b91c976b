// A whole runtime in this process, on a free port, from manifests as text.
import { createClock } from '../../src/core/clock.ts'
import type { Event } from '../../src/core/event.ts'
import { encodeBinary } from '../../src/http/encode.ts'
import { createLogger } from '../../src/observe/logger.ts'
import { loadManifests } from '../../src/resource/load.ts'
import { formatProblem, type Problem } from '../../src/resource/problems.ts'
import type { OpenKafka } from '../../src/runtime/kafka-clusters.ts'
import { openData } from '../../src/runtime/logs.ts'
import { type Runtime, startRuntime } from '../../src/runtime/runtime.ts'
import { readSettings } from '../../src/runtime/settings.ts'
import type { LogStatus, TriggerStatus } from '../../src/runtime/status.ts'
import { createResourceStore } from '../../src/store/resource-store.ts'
import { sharedUid } from '../../src/store/uid.ts'
import { openUids } from '../../src/store/uids.ts'

export interface TestRuntime extends AsyncDisposable {
  readonly runtime: Runtime
  /** What the built-in display subscriber printed. */
  readonly printed: readonly string[]
  /** What was logged, one object a line. */
  readonly logged: readonly Record<string, unknown>[]
  /** Sends to `namespace/name`, and returns the answer's status and text. */
  send(event: Event, broker?: string): Promise<{ status: number; text: string; retryAfter: string | null }>
  trigger(name: string): Promise<TriggerStatus>
  broker(name?: string): Promise<LogStatus>
  channel(name: string): Promise<LogStatus>
}

/** It keeps nothing, unless `settings` name a data directory. */
export async function startTestRuntime(
  manifests: string,
  settings: Record<string, string> = {},
  manifestProblems: () => readonly Problem[] = () => [],
  openKafka?: OpenKafka,
): Promise<TestRuntime> {
  const { resources, problems } = loadManifests(manifests, 'test.yaml')
  if (problems.length > 0) throw new Error(problems.map(formatProblem).join('\n'))
  const printed: string[] = []
  const logged: Record<string, unknown>[] = []
  const clock = createClock()
  const storage: Record<string, string> = 'data-dir' in settings || 'dataDir' in settings ? {} : { ephemeral: 'true' }
  const read = readSettings({ flags: { port: '0', drainMs: '0', ...storage, ...settings }, env: {} })
  const { installation } = read
  const uidFor = (key: string): string => sharedUid(installation ?? '', key)
  const store = createResourceStore(clock.wall, installation === undefined ? {} : { uidFor })
  const logger = createLogger('info', { write: (line: string) => void logged.push(JSON.parse(line)) })
  const data = await openData(read, clock, logger)
  const uids = openUids(data.values, store)
  for (const { resource, place } of resources) store.put(resource, `${place.file}:${place.line}`)
  const runtime = await startRuntime({
    settings: read,
    resources: store,
    data: openKafka ? { ...data, openKafka } : data,
    uids,
    manifestProblems,
    clock,
    logger,
    print: (text) => printed.push(text) > 0,
  })
  const find = <T extends { namespace: string; name: string }>(list: readonly T[], name: string): T => {
    const found = list.find((each) => each.name === name)
    if (!found) throw new Error(`no ${name} in ${list.map((each) => each.name).join()}`)
    return found
  }
  return {
    runtime,
    printed,
    logged,
    async send(event, broker = 'default/default') {
      const headers = new Headers()
      const flat = encodeBinary(event)
      for (let i = 0; i + 1 < flat.length; i += 2) headers.append(flat[i] as string, flat[i + 1] as string)
      const response = await fetch(`${runtime.dataUrl}/${broker}`, {
        method: 'POST',
        headers,
        body: event.data ?? null,
      })
      return { status: response.status, text: await response.text(), retryAfter: response.headers.get('retry-after') }
    },
    trigger: async (name) => find((await runtime.status()).triggers, name),
    broker: async (name = 'default') => find((await runtime.status()).brokers, name),
    channel: async (name) => find((await runtime.status()).channels, name),
    async [Symbol.asyncDispose]() {
      await runtime.close()
      await data.close()
    },
  }
}

/** A Trigger of broker `default`. `spec` is indented YAML added to its spec. */
export function aTrigger(name: string, subscriber: string, spec = ''): string {
  return `---
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata:
  name: ${name}
spec:
  broker: default
  subscriber:
    uri: ${subscriber}
${spec}`
}
