// What the clocks of a zone show: its offset from UTC, and for how long it stays. All of it comes from Intl, so from the
// IANA data that this Node carries.

export interface Zone {
  readonly name: string
  readonly format: Intl.DateTimeFormat
  /** What was asked for last, at most MOST_STRETCHES: enough for a search through five years. */
  readonly known: Stretch[]
}

/** From `fromMs` until before `untilMs` (epoch ms) local time is UTC plus `offsetMs`. */
export interface Stretch {
  readonly fromMs: number
  readonly untilMs: number
  readonly offsetMs: number
}

const SECOND_MS = 1_000
const DAY_MS = 86_400 * SECOND_MS
/** Since 1970 no zone has put its clocks forward and back again within less than six days. */
const STEP_MS = 3 * DAY_MS
const LONGEST_STRETCH_MS = 400 * DAY_MS
const MOST_STRETCHES = 16
/** There are about 600 names; names in another case would be more. */
const MOST_ZONES = 1_000
const LONGEST_NAME = 64
const NAME = /^[A-Z][A-Za-z0-9_+-]*(?:\/[A-Z][A-Za-z0-9_+-]*)*$/
/** Intl has more names of three letters, of its own: PST, and BST for Bangladesh. */
const IANA_THREE_LETTERS = 'CET EET EST GMT HST MET MST PRC ROC ROK UCT UTC WET'.split(' ')
const INTL_ONLY = /^(?:SystemV\/.*|US\/Pacific-New|Canada\/East-Saskatchewan)$/

const zones = new Map<string, Zone>()

/**
 * The zone of a name of the IANA database, in the database's case, or of `Local`, the zone of this process. Throws an Error
 * that begins with upstream's words, "provided bad location".
 */
export function zoneNamed(name: string): Zone {
  if (name === 'Local') return localZone()
  const zone = isNameOfIana(name) ? zoneOfIntl(name) : undefined
  if (zone) return zone
  const shown = name.slice(0, LONGEST_NAME)
  throw new Error(
    `provided bad location '${shown}': expected a zone of the IANA database such as Europe/Paris, UTC or Local`,
  )
}

/** The stretch that `ms` is in. It may end although the offset stays: then the next one has the same. */
export function stretchAt(zone: Zone, ms: number): Stretch {
  const known = zone.known.find(({ fromMs, untilMs }) => fromMs <= ms && ms < untilMs)
  if (known) return known
  const found = findStretch(zone, ms)
  if (zone.known.length >= MOST_STRETCHES) zone.known.shift()
  zone.known.push(found)
  return found
}

/** A process whose TZ says nothing known is in UTC, as Node's own Date is. */
function localZone(): Zone {
  return zoneOfIntl(new Intl.DateTimeFormat().resolvedOptions().timeZone) ?? zoneNamed('UTC')
}

function isNameOfIana(name: string): boolean {
  if (name.length > LONGEST_NAME || !NAME.test(name) || INTL_ONLY.test(name)) return false
  return name.length !== 3 || IANA_THREE_LETTERS.includes(name)
}

function zoneOfIntl(name: string): Zone | undefined {
  const known = zones.get(name)
  if (known) return known
  const format = formatOf(name)
  if (!format) return undefined
  const { timeZone } = format.resolvedOptions()
  const isOtherCase = timeZone !== name && timeZone.toLowerCase() === name.toLowerCase()
  if (isOtherCase) return undefined
  if (zones.size >= MOST_ZONES) zones.clear()
  const zone = { name, format, known: [] }
  zones.set(name, zone)
  return zone
}

function formatOf(timeZone: string): Intl.DateTimeFormat | undefined {
  if (!timeZone) return undefined
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' })
  } catch {
    return undefined
  }
}

function findStretch(zone: Zone, fromMs: number): Stretch {
  const offsetMs = offsetAt(zone, fromMs)
  const endMs = fromMs + LONGEST_STRETCH_MS
  let sameMs = fromMs
  let otherMs = fromMs + STEP_MS
  while (offsetAt(zone, otherMs) === offsetMs) {
    sameMs = otherMs
    otherMs += STEP_MS
    if (otherMs > endMs) return { fromMs, untilMs: otherMs - STEP_MS, offsetMs }
  }
  while (otherMs - sameMs > SECOND_MS) {
    const middleMs = sameMs + Math.floor((otherMs - sameMs) / 2 / SECOND_MS) * SECOND_MS
    if (offsetAt(zone, middleMs) === offsetMs) sameMs = middleMs
    else otherMs = middleMs
  }
  return { fromMs, untilMs: otherMs, offsetMs }
}

/** Intl says `GMT`, `GMT+05:30` or, before zones were whole minutes, `GMT-00:44:30`. */
function offsetAt({ format }: Zone, ms: number): number {
  const text = format.formatToParts(ms).find(({ type }) => type === 'timeZoneName')?.value ?? ''
  const [, sign, hours = 0, minutes = 0, seconds = 0] = /([+-])(\d\d):(\d\d)(?::(\d\d))?$/.exec(text) ?? []
  const offsetMs = (Number(hours) * 3_600 + Number(minutes) * 60 + Number(seconds)) * SECOND_MS
  return sign === '-' ? -offsetMs : offsetMs
}
