// How long a Broker or a channel keeps its events, as annotations say it.
import { parseDuration } from '../core/duration.ts'
import { parseByteQuantity } from '../core/quantity.ts'
import type { Metadata } from './metadata.ts'
import { type FieldError, shown } from './problems.ts'
import { annotationPath, checkAnnotation, textAt } from './rules.ts'

const TIME = 'tidings.dev/retention'
const BYTES = 'tidings.dev/retention-bytes'
const UNSETTLED = 'tidings.dev/retention-unsettled'

/** Whether time and bytes hold for events that are not settled, too. */
export const UNSETTLED_POLICIES = ['keep', 'expire'] as const
export type UnsettledPolicy = (typeof UNSETTLED_POLICIES)[number]

/** What is not given is as the settings have it. */
export interface Retention {
  readonly ms?: number
  readonly bytes?: number
  readonly unsettled?: UnsettledPolicy
}

/** Of a resource that has been read. */
export function retentionOf({ metadata }: { readonly metadata: Metadata }): Retention {
  const time = metadata.annotations?.[TIME]
  const bytes = metadata.annotations?.[BYTES]
  const unsettled = UNSETTLED_POLICIES.find((each) => each === metadata.annotations?.[UNSETTLED])
  return {
    ...(time !== undefined && { ms: parseDuration(time) }),
    ...(bytes !== undefined && { bytes: parseByteQuantity(bytes) }),
    ...(unsettled && { unsettled }),
  }
}

/** For the resource that does the work of another one. */
export function retentionAnnotationsOf({
  metadata,
}: {
  readonly metadata: Metadata
}): Readonly<Record<string, string>> {
  return Object.fromEntries(
    [TIME, BYTES, UNSETTLED].flatMap((name): [string, string][] => {
      const value = metadata.annotations?.[name]
      return value === undefined ? [] : [[name, value]]
    }),
  )
}

export function checkRetention(resource: unknown): readonly FieldError[] {
  const invalid = [
    ...refusedBy(resource, TIME, parseDuration, 'expected an ISO 8601 duration such as P7D or PT12H'),
    ...refusedBy(
      resource,
      BYTES,
      parseByteQuantity,
      'expected a number of bytes such as 104857600, or a quantity such as 100Mi or 5G',
    ),
    ...checkAnnotation(resource, UNSETTLED, UNSETTLED_POLICIES),
  ]
  return invalid.length > 0 ? invalid : checkExpiry(resource)
}

/** Time or bytes of nothing would give up every event before it is delivered. */
function checkExpiry(resource: unknown): readonly FieldError[] {
  if (textAt(resource, annotationPath(UNSETTLED)) !== 'expire') return []
  const details = `with ${UNSETTLED}: expire every event would be given up before it is delivered: give it more, or keep`
  return [[TIME, parseDuration] as const, [BYTES, parseByteQuantity] as const].flatMap(([name, parse]) => {
    const path = annotationPath(name)
    const value = textAt(resource, path)
    if (value === undefined || parse(value) > 0) return []
    return [{ paths: [path], message: `invalid value: ${shown(value)}`, details }]
  })
}

function refusedBy(
  resource: unknown,
  name: string,
  parse: (text: string) => number,
  details: string,
): readonly FieldError[] {
  const path = annotationPath(name)
  const value = textAt(resource, path)
  if (value === undefined) return []
  try {
    parse(value)
    return []
  } catch {
    return [{ paths: [path], message: `invalid value: ${shown(value)}`, details }]
  }
}
