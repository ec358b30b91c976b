// One event of a dead-letter log: whom it failed for and why, what it was before it failed, and which of them somebody means.
import type { Attributes, Event } from '../core/event.ts'
import { attributeOf, withAttributes } from '../core/event.ts'
import { TRIGGER_ATTRIBUTE } from './dead-letter-log.ts'

/** What an event in the log says of its failure, as far as it says it. */
export interface Cause {
  /** `namespace/name` of the Trigger, Subscription or source that it failed for. */
  readonly reader: string
  /** `knativeerrorcode`: an HTTP status; 500 where there was no answer. */
  readonly code: string
  /** `knativeerrordest`. */
  readonly destination: string
}

/** Narrows down which letters are meant. What is absent asks for nothing. */
export interface LetterMatch {
  readonly reader?: string
  readonly code?: string
  readonly destination?: string
  readonly type?: string
  /** Ids of events: one of them. */
  readonly ids?: readonly string[]
}

const ERROR_ATTRIBUTES = ['knativeerrordest', 'knativeerrorcode', 'knativeerrordata', TRIGGER_ATTRIBUTE]

export function causeOf(attributes: Attributes): Cause {
  return {
    reader: attributeOf(attributes, TRIGGER_ATTRIBUTE) ?? '',
    code: attributeOf(attributes, 'knativeerrorcode') ?? '',
    destination: attributeOf(attributes, 'knativeerrordest') ?? '',
  }
}

/** What the failed answer said, or why there was none: at most 768 bytes of it. */
export function errorTextOf(attributes: Attributes): string {
  return Buffer.from(attributeOf(attributes, 'knativeerrordata') ?? '', 'base64').toString('utf8')
}

/** Tells of an event of a dead-letter log whether it is meant. */
export function compileLetterMatch(match: LetterMatch): (attributes: Attributes) => boolean {
  const ids = match.ids && new Set(match.ids)
  return (attributes) => {
    const { reader, code, destination } = causeOf(attributes)
    return (
      (match.reader === undefined || match.reader === reader) &&
      (match.code === undefined || match.code === code) &&
      (match.destination === undefined || match.destination === destination) &&
      (match.type === undefined || match.type === attributeOf(attributes, 'type')) &&
      (ids === undefined || ids.has(attributeOf(attributes, 'id') ?? ''))
    )
  }
}

/** The event as it was stored before it failed: what is redriven. */
export function originalOf(event: Event): Event {
  const attributes = { ...event.attributes }
  for (const name of ERROR_ATTRIBUTES) delete attributes[name]
  return withAttributes(event, attributes)
}
