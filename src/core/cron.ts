// Schedules of PingSources and CronJobSources: upstream's grammar, and the seconds at which the clocks of a zone show what
// it asks for. A local time that is left out when clocks go forward does not fire, one that comes twice fires twice.
// Waiting for the next time is the sources' business.
import { stretchAt, type Zone, zoneNamed } from './zone.ts'

/**
 * `ping`: five fields, or six with seconds in front, or a descriptor such as `@daily`. `cron-job`: five fields or a
 * descriptor, `@every` with a Go duration (`1h30m`) among them. Both take `TZ=` or `CRON_TZ=` and a zone in front.
 */
export type ScheduleGrammar = 'ping' | 'cron-job'

export interface Schedule {
  readonly text: string
  /** The name of the zone whose clocks count. */
  readonly timezone: string
  readonly zone: Zone
  readonly rule: Rule
}

type Rule =
  | { readonly kind: 'every'; readonly everyMs: number }
  | {
      readonly kind: 'fields'
      readonly second: Field
      readonly minute: Field
      readonly hour: Field
      readonly dayOfMonth: Field
      readonly month: Field
      readonly dayOfWeek: Field
    }
type Fields = Extract<Rule, { kind: 'fields' }>

interface Field {
  /** By number: `true` for those that fire. */
  readonly fires: readonly boolean[]
  /** Whether an item is `*` or `?` with no step but 1. */
  readonly isStar: boolean
}

interface Domain {
  readonly name: string
  readonly min: number
  readonly max: number
  /** The first is the name of `min`. */
  readonly names: readonly string[]
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']
const SECONDS: Domain = { name: 'second', min: 0, max: 59, names: [] }
const MINUTES: Domain = { name: 'minute', min: 0, max: 59, names: [] }
const HOURS: Domain = { name: 'hour', min: 0, max: 23, names: [] }
const DAYS_OF_MONTH: Domain = { name: 'day of month', min: 1, max: 31, names: [] }
const MONTHS_OF_YEAR: Domain = { name: 'month', min: 1, max: 12, names: MONTHS }
const DAYS_OF_WEEK: Domain = { name: 'day of week', min: 0, max: 6, names: WEEKDAYS }

const DESCRIPTORS: ReadonlyMap<string, string> = new Map([
  ['@yearly', '0 0 0 1 1 *'],
  ['@annually', '0 0 0 1 1 *'],
  ['@monthly', '0 0 0 1 * *'],
  ['@weekly', '0 0 0 * * 0'],
  ['@daily', '0 0 0 * * *'],
  ['@midnight', '0 0 0 * * *'],
  ['@hourly', '0 0 * * * *'],
])

const LONGEST_TEXT = 1_024
/** What Go's strings.Fields splits at. */
const SPACES = /[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/
const ZONE_PREFIX = /^(?:CRON_)?TZ=(.*)$/
/** A number, name or star; perhaps the end of a range; perhaps a step. */
const ITEM = /^([^-/]+)(?:-([^/]*))?(?:\/([^/]*))?$/
const DURATION = /^\+?(?:0|(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/
const DURATION_PART = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g
const UNITS_MS: ReadonlyMap<string, number> = new Map([
  ['ns', 1e-6],
  ['us', 1e-3],
  ['µs', 1e-3],
  ['μs', 1e-3],
  ['ms', 1],
  ['s', 1_000],
  ['m', 60_000],
  ['h', 3_600_000],
])
/** Go counts nanoseconds in 63 bits. */
const LONGEST_EVERY_MS = 2 ** 63 / 1e6

const SECOND_MS = 1_000
const DAY_MS = 86_400 * SECOND_MS
const YEARS_SEARCHED = 5
/** Past it the text of a time is not RFC 3339 any more. */
const END_MS = Date.UTC(10_000)

/**
 * A text with `options.timezone`, else with the zone it names in front, else in the zone of this process. Throws an Error
 * whose message says what is wrong where and what was expected, also for a text of more than 1,024 characters.
 */
export function parseSchedule(
  text: string,
  options: { readonly grammar?: ScheduleGrammar; readonly timezone?: string } = {},
): Schedule {
  const { grammar = 'ping', timezone = '' } = options
  if (text.length > LONGEST_TEXT) {
    throw new Error(`expected a schedule of at most ${LONGEST_TEXT} characters, got ${text.length}`)
  }
  if (grammar === 'ping' && text.includes('@every')) throw new Error('unsupported descriptor @every')
  const words = text.split(SPACES).filter((word) => word !== '')
  const prefix = ZONE_PREFIX.exec(words[0] ?? '')
  if (prefix && timezone !== '') {
    throw new Error(`expected the zone once, got timezone '${timezone.slice(0, 64)}' and '${prefix[0].slice(0, 64)}'`)
  }
  const zone = zoneNamed(prefix ? prefix[1] || 'UTC' : timezone || 'Local')
  const rule = ruleOf(prefix ? words.slice(1) : words, grammar)
  return { text, timezone: zone.name, zone, rule }
}

/**
 * The first firing after `afterMs`, not at it: a whole second, in epoch milliseconds. Undefined when there is none until the
 * end of the fifth year after that of `afterMs` or of the year 9999, and when `afterMs` is before 1970.
 */
export function nextTime({ zone, rule }: Schedule, afterMs: number): number | undefined {
  if (!(afterMs >= 0 && afterMs < END_MS)) return undefined
  const nowMs = Math.floor(afterMs / SECOND_MS) * SECOND_MS
  const foundMs = rule.kind === 'every' ? nowMs + rule.everyMs : nextMatch(rule, zone, nowMs + SECOND_MS)
  return foundMs !== undefined && foundMs < END_MS ? foundMs : undefined
}

/** Throws an Error that begins with "provided bad location" unless the IANA database has the name, or it is `Local`. */
export function checkTimezone(name: string): void {
  zoneNamed(name)
}

function ruleOf(words: readonly string[], grammar: ScheduleGrammar): Rule {
  const [first = '', second = ''] = words
  if (first === '@every' && words.length === 2) return { kind: 'every', everyMs: everyMsOf(second) }
  if (first.startsWith('@')) return fieldsOf(expandDescriptor(words.join(' '), grammar))
  const takesSeconds = grammar === 'ping'
  if (words.length === 6 && takesSeconds) return fieldsOf(words)
  if (words.length === 5) return fieldsOf(['0', ...words])
  const expected = takesSeconds ? '5 or 6 fields' : '5 fields'
  throw new Error(`expected ${expected} or a descriptor such as @daily, got ${words.length} fields`)
}

function expandDescriptor(text: string, grammar: ScheduleGrammar): readonly string[] {
  const fields = DESCRIPTORS.get(text)
  if (fields) return fields.split(' ')
  const known = [...DESCRIPTORS.keys(), ...(grammar === 'cron-job' ? ['@every DURATION'] : [])].join(', ')
  throw new Error(`expected one of ${known}, got '${text.slice(0, 64)}'`)
}

/** Whole seconds, at least one, as upstream rounds. */
function everyMsOf(text: string): number {
  let ms = DURATION.test(text) ? 0 : Number.NaN
  for (const [, number, unit = ''] of text.matchAll(DURATION_PART)) ms += Number(number) * (UNITS_MS.get(unit) ?? 0)
  if (!(ms < LONGEST_EVERY_MS)) {
    throw new Error(`@every: expected a duration such as 5m or 1h30m, below 2562048h, got '${text.slice(0, 64)}'`)
  }
  const seconds = Math.floor(Math.round(ms * 1e6) / 1e9)
  return Math.max(seconds, 1) * SECOND_MS
}

function fieldsOf([
  second = '',
  minute = '',
  hour = '',
  dayOfMonth = '',
  month = '',
  dayOfWeek = '',
]: readonly string[]): Rule {
  return {
    kind: 'fields',
    second: parseField(second, SECONDS),
    minute: parseField(minute, MINUTES),
    hour: parseField(hour, HOURS),
    dayOfMonth: parseField(dayOfMonth, DAYS_OF_MONTH),
    month: parseField(month, MONTHS_OF_YEAR),
    dayOfWeek: parseField(dayOfWeek, DAYS_OF_WEEK),
  }
}

/** Empty items count for nothing, so `,` is a field that never fires. */
function parseField(text: string, domain: Domain): Field {
  const fires = new Array<boolean>(domain.max + 1).fill(false)
  let isStar = false
  for (const item of text.split(',')) {
    if (item === '') continue
    const { first, last, step, isStarItem } = parseItem(item, domain)
    for (let value = first; value <= last; value += step) fires[value] = true
    isStar ||= isStarItem
  }
  return { fires, isStar }
}

function parseItem(item: string, domain: Domain) {
  const { name, min, max } = domain
  const refuse = (expected: string) => new Error(`${name}: expected ${expected}, got '${item.slice(0, 64)}'`)
  const parts = ITEM.exec(item)
  if (!parts) throw refuse('*, N, N-M, */S, N-M/S or N/S')
  const [, low = '', high, stepText] = parts
  const step = stepText === undefined ? 1 : numberOf(stepText)
  if (!(step >= 1)) throw refuse('a step that is a positive number')
  // What follows `*-` is not looked at upstream either.
  if (low === '*' || low === '?') return { first: min, last: max, step, isStarItem: step === 1 }
  const first = numberOrName(low, domain)
  const openEnd = stepText === undefined ? first : max
  const last = high === undefined ? openEnd : numberOrName(high, domain)
  if (!(first >= min && first <= max && last >= min && last <= max)) throw refuse(valuesOf(domain))
  if (first > last) throw refuse('a range that does not run backwards')
  return { first, last, step, isStarItem: false }
}

function valuesOf({ min, max, names }: Domain): string {
  const [name] = names
  return `a number from ${min} to ${max}${name === undefined ? '' : ` or a name such as ${name.toUpperCase()}`}`
}

/** NaN when it is neither a number nor a name. */
function numberOrName(text: string, { min, names }: Domain): number {
  const index = names.indexOf(text.toLowerCase())
  return index < 0 ? numberOf(text) : min + index
}

function numberOf(text: string): number {
  return /^\+?\d{1,18}$/.test(text) ? Number(text) : Number.NaN
}

/** Within a stretch local time is UTC moved by a constant, so the fields are looked for as if there were no zones. */
function nextMatch(rule: Fields, zone: Zone, fromMs: number): number | undefined {
  const { second, minute, hour } = rule
  if (![second, minute, hour].every(({ fires }) => fires.includes(true))) return undefined
  const lastYear = new Date(fromMs + stretchAt(zone, fromMs).offsetMs).getUTCFullYear() + YEARS_SEARCHED
  const endLocalMs = Date.UTC(lastYear + 1)
  let atMs = fromMs
  while (true) {
    const { offsetMs, untilMs } = stretchAt(zone, atMs)
    const localMs = nextLocal(rule, atMs + offsetMs, Math.min(untilMs + offsetMs, endLocalMs))
    if (localMs !== undefined) return localMs - offsetMs
    if (untilMs + offsetMs >= endLocalMs) return undefined
    atMs = untilMs
  }
}

function nextLocal(rule: Fields, fromMs: number, beforeMs: number): number | undefined {
  const firstDayMs = Math.floor(fromMs / DAY_MS) * DAY_MS
  for (let dayMs = firstDayMs; dayMs < beforeMs; dayMs += DAY_MS) {
    if (!firesOnDay(rule, new Date(dayMs))) continue
    const second = nextOfDay(rule, dayMs === firstDayMs ? (fromMs - dayMs) / SECOND_MS : 0)
    if (second === undefined) continue
    const foundMs = dayMs + second * SECOND_MS
    return foundMs < beforeMs ? foundMs : undefined
  }
  return undefined
}

/** Classic cron: when both days are limited, one of them is enough. A stepped star is a limit. */
function firesOnDay({ month, dayOfMonth, dayOfWeek }: Fields, day: Date): boolean {
  if (!month.fires[day.getUTCMonth() + 1]) return false
  const isDayOfMonth = dayOfMonth.fires[day.getUTCDate()] === true
  const isDayOfWeek = dayOfWeek.fires[day.getUTCDay()] === true
  return dayOfMonth.isStar || dayOfWeek.isStar ? isDayOfMonth && isDayOfWeek : isDayOfMonth || isDayOfWeek
}

/** The first second of the day, from `from` on, at which the clock shows what fires. */
function nextOfDay({ hour, minute, second }: Fields, from: number): number | undefined {
  for (let h = next(hour, Math.floor(from / 3_600)); h !== undefined; h = next(hour, h + 1)) {
    const inHour = Math.max(from - h * 3_600, 0)
    for (let m = next(minute, Math.floor(inHour / 60)); m !== undefined; m = next(minute, m + 1)) {
      const s = next(second, Math.max(inHour - m * 60, 0))
      if (s !== undefined) return h * 3_600 + m * 60 + s
    }
  }
  return undefined
}

function next({ fires }: Field, from: number): number | undefined {
  const found = fires.indexOf(true, from)
  return found < 0 ? undefined : found
}
