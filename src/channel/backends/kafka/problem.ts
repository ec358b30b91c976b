// What Kafka's and kafkajs' errors mean to a log.
import { EventingError } from '../../../core/errors.ts'

const REFUSED = new Set([
  'SASL_AUTHENTICATION_FAILED',
  'UNSUPPORTED_SASL_MECHANISM',
  'TOPIC_AUTHORIZATION_FAILED',
  'GROUP_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
])
const REFUSED_NAMES = new Set(['KafkaJSSASLAuthenticationError'])
/** How Node names what is wrong with a certificate or a handshake. */
const REFUSED_TLS = /CERT|SSL|TLS|UNABLE_TO_(GET|VERIFY|DECRYPT)|HOSTNAME_MISMATCH/
const TOO_LARGE = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE'])
/** By Kafka's type: what helps, where its own words do not say. */
const HINTS: Readonly<Record<string, string>> = {
  INVALID_REPLICATION_FACTOR: 'it has fewer nodes than a topic is to have copies',
}
/** Somebody else leads the partition now, or nobody does yet. */
const STALE = new Set([
  'UNKNOWN_TOPIC_OR_PARTITION',
  'UNKNOWN_TOPIC_ID',
  'LEADER_NOT_AVAILABLE',
  'NOT_LEADER_FOR_PARTITION',
  'REPLICA_NOT_AVAILABLE',
  'FENCED_LEADER_EPOCH',
  'UNKNOWN_LEADER_EPOCH',
])

interface Failure {
  readonly name?: string
  readonly type?: string
  readonly code?: string | number
  readonly message?: string
  readonly cause?: unknown
  /** Of what was asked for several things at once; here that is one. */
  readonly errors?: readonly unknown[]
}

/** Kafka's own name of the error, if it answered with one: `NOT_LEADER_FOR_PARTITION`. */
export function typeOf(error: unknown): string | undefined {
  for (const { type } of chainOf(error)) if (typeof type === 'string') return type
  return undefined
}

export function isStale(error: unknown): boolean {
  return STALE.has(typeOf(error) ?? '')
}

/** As an error of ours: AUTH_FAILED, EVENT_TOO_LARGE, and LOG_UNAVAILABLE for all that may be over by itself. */
export function problemOf(error: unknown, what: string): EventingError {
  if (error instanceof EventingError) return error
  const text = `${what}: ${textOf(error)}`
  if (isRefusal(error)) return new EventingError('AUTH_FAILED', text, { cause: error })
  if (TOO_LARGE.has(typeOf(error) ?? '')) return new EventingError('EVENT_TOO_LARGE', text, { cause: error })
  return new EventingError('LOG_UNAVAILABLE', text, { retryable: true, cause: error })
}

/** Of several, what the first one says: that there were errors is known. */
function textOf(error: unknown): string {
  const { message, type = '', errors } = (error ?? {}) as Failure
  if (errors?.[0]) return textOf(errors[0])
  const hint = HINTS[type]
  return `${message ?? String(error)}${hint === undefined ? '' : `: ${hint}`}`
}

export function isRefusal(error: unknown): boolean {
  return chainOf(error).some(
    ({ name, type, code }) =>
      REFUSED_NAMES.has(name ?? '') ||
      REFUSED.has(type ?? '') ||
      (typeof code === 'string' && code !== 'ECONNRESET' && REFUSED_TLS.test(code)),
  )
}

function chainOf(error: unknown): Failure[] {
  const chain: Failure[] = []
  for (let at: unknown = error; typeof at === 'object' && at !== null && chain.length < 8; ) {
    const failure = at as Failure
    chain.push(failure)
    at = failure.cause ?? failure.errors?.[0]
  }
  return chain
}
