// An Admin over a real resource store, with nothing running behind it: for tests of the admin port and of commands.
import { type HttpServer, startAdminServer } from '../../src/api/server.ts'
import { createLogger } from '../../src/observe/logger.ts'
import { createMetrics } from '../../src/observe/metrics.ts'
import { loadManifests } from '../../src/resource/load.ts'
import { formatProblem } from '../../src/resource/problems.ts'
import type { Admin } from '../../src/runtime/admin.ts'
import type { RerunStatus } from '../../src/runtime/rerun-job.ts'
import { createResourceStore, keyOf, type ResourceStore } from '../../src/store/resource-store.ts'

/** 2026-01-02T03:04:05Z */
export const APPLIED_AT = 1_767_323_045_000

export interface TestAdmin extends Admin {
  readonly resources: ResourceStore
  /** What was told to it, in words: `pause default/a`. */
  readonly told: readonly string[]
}

/**
 * Holds the manifests, applied at `appliedAt` (epoch ms), knows their Triggers and what `answers` says; everything else
 * it is asked for is not there.
 */
export function anAdmin(manifests = '', answers: Partial<Admin> = {}, appliedAt = APPLIED_AT): TestAdmin {
  const { resources, problems } = loadManifests(manifests, 'test.yaml')
  if (problems.length > 0) throw new Error(problems.map(formatProblem).join('\n'))
  const store = createResourceStore(() => appliedAt)
  for (const { resource } of resources) store.put(resource, 'test.yaml:1')
  const told: string[] = []
  return {
    told,
    health: { live: () => true, ready: () => ({ ok: true, text: 'ready' }) },
    metrics: createMetrics(),
    status: async () => ({
      ready: true,
      dataUrl: 'http://127.0.0.1:8080',
      backend: 'memory',
      brokers: [],
      triggers: [],
      channels: [],
      subscriptions: [],
      sources: [],
      reruns: [],
      problems: [],
    }),
    async setTriggerPaused(namespace, name, paused) {
      told.push(`${paused ? 'pause' : 'resume'} ${namespace}/${name}`)
      return store.get(keyOf('eventing.knative.dev/v1', 'Trigger', namespace, name)) !== undefined
    },
    triggers: { replay: async () => undefined, skip: async () => undefined },
    deadLetters: {
      list: async () => ({ groups: [], scanned: 0, isComplete: true }),
      show: async () => [],
      redrive: async () => [],
      discard: async () => 0,
    },
    reruns: { list: () => [], cancel: async () => false },
    fireSource: async () => ({ kind: 'unknown' }),
    findEvents: async () => undefined,
    why: async () => undefined,
    watch: () => undefined,
    tryFilter: async () => 'no broker',
    tailLimits: () => ({ viewers: 2, viewerBytes: 4_096 }),
    settings: () => [],
    registerService(namespace, name, url) {
      told.push(`register ${namespace}/${name} ${url}`)
      return { kind: 'registered' }
    },
    releaseService(namespace, name) {
      told.push(`release ${namespace}/${name}`)
    },
    ...answers,
    resources: store,
  }
}

/** A replay for Trigger `default/a` that goes on, with `facts` of its own. */
export function aRerun(facts: Partial<RerunStatus>): RerunStatus {
  return {
    id: 'r1',
    kind: 'replay',
    reader: { kind: 'Trigger', namespace: 'default', name: 'a' },
    startedAt: '2026-01-02T03:04:05.000Z',
    ratePerSecond: null,
    delivered: 5,
    deadLettered: 0,
    kept: 0,
    unsettled: 1,
    unread: 4,
    lastFailure: null,
    held: null,
    endedAt: null,
    cancelled: null,
    ...facts,
  }
}

export interface TestAdminServer extends AsyncDisposable {
  readonly url: string
  readonly port: number
  close(): Promise<void>
}

export async function startTestAdmin(admin: Admin): Promise<TestAdminServer> {
  const server: HttpServer = await startAdminServer({
    host: '127.0.0.1',
    port: 0,
    admin,
    logger: createLogger('silent'),
  })
  return { ...server, url: `http://127.0.0.1:${server.port}`, [Symbol.asyncDispose]: () => server.close() }
}

/** A Trigger of broker `default` in namespace `default`. */
export function triggerManifest(name: string, subscriber: string): string {
  return `---
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: { name: ${name} }
spec: { broker: default, subscriber: { uri: '${subscriber}' } }
`
}
