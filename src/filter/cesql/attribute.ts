// How an attribute of an event is read by an expression.
import { filterValue } from '../value.ts'
import type { Failure } from './cast.ts'
import type { Value } from './expression.ts'

/** Of an event they are texts; types of their own come from who asks about an event that was never sent. */
export type CesqlAttributes = Readonly<Record<string, Value | undefined>>

export function missingAttribute(name: string): Failure {
  return { kind: 'missingAttribute', text: `the event has no attribute "${name}"` }
}

export type Reader = (attributes: CesqlAttributes) => Value | undefined

/** One place in the code for each of them: the engine then knows where in an event it stands. */
const READERS: Readonly<Record<string, Reader>> = {
  id: (attributes) => attributes['id'],
  source: (attributes) => attributes['source'],
  type: (attributes) => attributes['type'],
  subject: (attributes) => attributes['subject'],
  // One attribute by two names; other derived names of filters are none to CESQL.
  dataschema: (attributes) => filterValue(attributes as Record<string, string>, 'dataschema'),
  schemaurl: (attributes) => filterValue(attributes as Record<string, string>, 'schemaurl'),
}

export function readerOf(name: string): Reader {
  const known = Object.hasOwn(READERS, name) ? READERS[name] : undefined
  if (known) return known
  return (attributes) => {
    const value: unknown = attributes[name] // a name may be one that objects inherit
    return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : undefined
  }
}
