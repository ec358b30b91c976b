// What a Broker or channel says of the Kafka topic that it is in, in upstream's conditions and reasons.
// @see eventing-kafka-broker control-plane/pkg/reconciler/base/receiver_condition_set.go
import { codeOf } from '../core/errors.ts'
import type { Finding } from '../resource/conditions.ts'
import type { OpenedHub } from './hubs.ts'
import type { KafkaPlace } from './kafka-places.ts'

/** Of a Broker of class Kafka, but for what all Brokers have. */
export function kafkaFindings(opened: OpenedHub): readonly Finding[] {
  const isOpen = opened.kind === 'open'
  return [
    { type: 'DataPlaneAvailable', status: 'True' },
    { type: 'ConfigMapUpdated', status: 'True' },
    { type: 'ConfigParsed', ...configFinding(opened) },
    topicFinding(opened),
    { type: 'ProbeSucceeded', ...(isOpen ? { status: 'True' } : notYet(opened)) },
    { type: 'Addressable', ...(isOpen ? { status: 'True' } : notYet(opened)) },
  ]
}

/** Of whatever says only in one condition whether its log is open. */
export function openedFinding(type: string, opened: OpenedHub): Finding {
  if (opened.kind === 'open') return { type, status: 'True' }
  if (opened.kind === 'opening') return { type, status: 'Unknown', reason: 'LogOpening', message: OPENING }
  if (opened.kind === 'refused') return { type, status: 'False', reason: 'LogNotOpen', message: opened.message }
  return { type, status: 'False', reason: 'LogNotOpen', message: textOf(opened.error) }
}

/** Whether the cluster is known and can be reached. */
export function configFinding(opened: OpenedHub): Omit<Finding, 'type'> {
  if (opened.kind === 'refused') return { status: 'False', reason: opened.reason, message: opened.message }
  if (opened.kind !== 'failed' || isAboutTopic(opened.error)) return { status: 'True' }
  const message = textOf(opened.error)
  const reason = `cannot obtain Kafka cluster admin, ${codeOf(opened.error) ?? 'Error'}`
  return { status: 'False', reason, message }
}

export function topicFinding(opened: OpenedHub): Finding {
  const type = 'TopicReady'
  if (opened.kind === 'refused') return { type, ...notYet(opened) }
  const { name = '', isExternal = false } = opened.place?.events ?? {}
  if (opened.kind === 'open') {
    const reason = `Topic ${name} created`
    return { type, status: 'True', reason }
  }
  if (opened.kind === 'opening' || !isAboutTopic(opened.error)) return { type, ...notYet(opened) }
  const message = textOf(opened.error)
  if (isExternal) return { type, status: 'False', reason: 'Topic is not present or invalid', message }
  const reason = `Failed to create topic: ${name}`
  return { type, status: 'False', reason, message }
}

/** As upstream does: so that what was made can be found when the ConfigMap is gone. No secret is among it. */
export function annotationsOf(opened: OpenedHub): { readonly annotations?: KafkaPlace['annotations'] } {
  return opened.kind !== 'refused' && opened.place ? { annotations: opened.place.annotations } : {}
}

const OPENING = 'its log is being opened'

/** Of what follows from another condition, which says why unless its log is only being opened. */
export function notYet({ kind }: OpenedHub): Omit<Finding, 'type'> {
  return kind === 'opening' ? { status: 'Unknown', reason: 'LogOpening', message: OPENING } : { status: 'Unknown' }
}

/** All else is about the cluster, or about who we are there. */
function isAboutTopic(error: unknown): boolean {
  const code = codeOf(error)
  return code !== undefined && code !== 'LOG_UNAVAILABLE' && code !== 'AUTH_FAILED'
}

/** A cause has what the cluster said; whatever is in there, a secret is not. */
function textOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return codeOf(error) === undefined ? message : `${message} (${codeOf(error)})`
}
