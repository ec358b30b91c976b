// What is said of a source with a schedule: conditions, and the fields of its status.
import type { ConditionSet, Finding } from '../resource/conditions.ts'
import { type CronJobSource, cronJobSourceKind } from '../resource/kinds/cron-job-source.ts'
import { type PingSource, pingSourceKind } from '../resource/kinds/ping-source.ts'
import { namespaceOf } from '../resource/metadata.ts'
import { deadLetterSinkFinding } from './brokers.ts'
import type { OpenedHub } from './hubs.ts'
import { openedFinding } from './kafka-status.ts'
import type { Resolution } from './resolve.ts'

export type ScheduledSource = PingSource | CronJobSource

export function conditionsOf({ kind }: ScheduledSource): ConditionSet {
  return kind === 'PingSource' ? pingSourceKind.conditions : cronJobSourceKind.conditions
}

export function findingsOf(
  resource: ScheduledSource,
  sink: Resolution,
  deadLetterSink: Resolution | undefined,
  opened: OpenedHub,
): readonly Finding[] {
  const sinkProvided: Finding =
    sink.kind === 'resolved'
      ? { type: 'SinkProvided', status: 'True' }
      : { type: 'SinkProvided', status: 'False', reason: 'NotFound', message: sink.message }
  const common: readonly Finding[] = [
    sinkProvided,
    openedFinding('Deployed', opened),
    deadLetterSinkFinding(deadLetterSink),
  ]
  const oidc = 'authentication-oidc feature disabled'
  if (resource.kind === 'PingSource') {
    return [...common, { type: 'OIDCIdentityCreated', status: 'True', reason: oidc }]
  }
  return [...common, { type: 'ValidSchedule', status: 'True' }, ...cronJobNotices(resource)]
}

/** Conditions that inform only. */
function cronJobNotices({ spec }: CronJobSource): readonly Finding[] {
  const unread = [spec.serviceAccountName && 'serviceAccountName', spec.resources && 'resources'].filter(Boolean)
  const ignored = `spec.${unread.join(' and spec.')} read by nobody: no pod is started`
  return [
    {
      type: 'Deprecated',
      status: 'True',
      reason: 'CronJobSourceDeprecated',
      message: 'CronJobSource is no longer part of Knative: use a PingSource (sources.knative.dev/v1)',
    },
    ...(unread.length > 0
      ? [{ type: 'ResourcesCorrect', status: 'True', reason: 'Ignored', message: ignored } as const]
      : []),
  ]
}

export function statusOf(resource: ScheduledSource, sink: Resolution): Readonly<Record<string, unknown>> {
  const isPing = resource.kind === 'PingSource'
  const plural = isPing ? 'pingsources' : 'cronjobsources'
  const source = `/apis/v1/namespaces/${namespaceOf(resource)}/${plural}/${resource.metadata.name}`
  const type = isPing ? 'dev.knative.sources.ping' : 'dev.knative.cronjob.event'
  return {
    ...(sink.kind === 'resolved' && { sinkUri: sink.target.url }),
    ceAttributes: [{ type, source }],
  }
}
