// Why an event did, or did not, get where it should: what each Trigger of its Broker makes of it, and what became of it there.
import type { OpenBroker } from '../broker/broker.ts'
import { causeOf, originalOf } from '../broker/letter.ts'
import type { Found, Stands } from '../channel/contents.ts'
import type { Attributes, Event } from '../core/event.ts'
import type { TriggerFilterSpec } from '../filter/dialects.ts'
import { distance, explainFilter, type Miss } from '../filter/explain.ts'
import { printableUrl } from '../http/address.ts'
import type { Trigger } from '../resource/kinds/trigger.ts'
import type { Metadata } from '../resource/metadata.ts'
import { startAtOf } from '../resource/start-at.ts'
import type { ResourceReader } from '../store/resource-store.ts'
import { type Attempts, remembered, type Tried } from './attempts.ts'
import { brokerKey } from './brokers.ts'
import type { Cursors } from './cursors.ts'
import type { Hubs } from './hubs.ts'
import type { TriggerState, Triggers } from './triggers.ts'

export interface Why {
  /** `namespace/name`. */
  readonly broker: string
  readonly eventId: string
  /** RFC 3339: all attempts that this process made since then are remembered, as far as they are its. */
  readonly attemptsSince: string
  /** Those with this id, oldest first: of different sources, or sent again. */
  readonly events: readonly WhyEvent[]
  /** Names of the Triggers of the Broker. */
  readonly triggers: readonly string[]
}

export interface WhyEvent {
  /** Where it stands in the log of its Broker; null when it is not there any more. */
  readonly position: number | null
  readonly source: string
  /** Null when nothing is left of the event but attempts at delivering it. */
  readonly attributes: Attributes | null
  /** RFC 3339. */
  readonly arrivedAt: string | null
  readonly triggers: readonly WhyTrigger[]
  /** How many more it does not match, or has left nothing at: where they are many, those that lack least are told. */
  readonly others: number
}

export interface WhyTrigger {
  readonly name: string
  /** By its filter as it is now; null when the event is not there to be asked about. */
  readonly matches: boolean | null
  readonly misses: readonly Miss[]
  /** The Trigger came after the event, and was not to begin before. */
  readonly cameLater: boolean
  /** Where it stands; null when it does not match, or that is not known any more. */
  readonly state: 'delivered' | 'dead-lettered' | 'kept' | 'skipped' | 'settled' | 'waiting' | 'running' | null
  /** Why nothing is attempted now: it is paused, or a reference is not resolved. */
  readonly held: string | null
  readonly subscriber: string | null
  /** Attempts at the subscriber that came to nothing, and when the next one is due. */
  readonly waiting: { readonly attempts: number; readonly dueAt: string | null } | null
  /** Those that are remembered, oldest first. */
  readonly attempts: readonly WhyAttempt[]
}

export interface WhyAttempt {
  /** RFC 3339. */
  readonly at: string
  readonly ms: number | null
  readonly status: number | null
  readonly to: 'subscriber' | 'dead-letter'
  readonly outcome: Tried['outcome']
  readonly reason: string | null
  readonly retryInMs: number | null
}

export interface WhyParts {
  readonly hubs: Hubs
  readonly cursors: Pick<Cursors, 'reader'>
  readonly triggers: Triggers
  readonly resources: ResourceReader
  readonly attempts: Attempts
}

/** Events with one id are told up to this many. */
const MOST_FOUND = 20
/** Triggers that it does not match are told up to this many; so many are looked at, in slices, others are counted. */
const MOST_MISSED = 100
const MOST_EXPLAINED = 1_000
const SLICE = 50

/** Undefined when there is no such Broker. `trigger`: only this one is told of. */
export async function explainEvent(
  { hubs, cursors, triggers, resources, attempts }: WhyParts,
  namespace: string,
  broker: string,
  eventId: string,
  trigger?: string,
): Promise<Why | undefined> {
  const hub = hubs.get(brokerKey(namespace, broker))
  if (!hub) return undefined
  const all = [...triggers.states()]
    .filter((state) => state.namespace === namespace && state.brokerName === broker)
    .sort((a, b) => (a.name < b.name ? -1 : 1))
  const readers = trigger === undefined ? all : all.filter(({ name }) => name === trigger)
  const tried = attempts.of(hub.uid, eventId)
  const found = await hub.channel.findId(eventId, MOST_FOUND)
  const letters = isTold(found, tried, readers) ? [] : await lettersOf(hub, eventId)
  const shared = { hub, cursors, readers, resources, tried, letters, found: found.map(({ event }) => event) }
  const events: WhyEvent[] = []
  for (const one of found) events.push(await whyOfFound(shared, one))
  const gone: WhyEvent[] = []
  for (const source of sourcesOf(tried, letters)) {
    if (!events.some((event) => remembered(event.source) === remembered(source)))
      gone.push(await whyOfGone(shared, source))
  }
  return {
    broker: `${namespace}/${broker}`,
    eventId,
    attemptsSince: timeOf(attempts.since()),
    events: [...gone, ...events],
    triggers: all.map(({ name }) => name),
  }
}

/** Whether the attempts that are remembered say of all that is settled how it ended: then no letter has to be looked for. */
function isTold(found: readonly Found[], tried: readonly Tried[], readers: readonly TriggerState[]): boolean {
  const ended = tried.filter(({ outcome }) => outcome !== 'failed').length
  const settled = found.flatMap(({ standings }) => standings).filter(({ standing }) => standing === 'settled').length
  return found.length > 0 && readers.length > 0 && ended >= settled
}

interface Shared {
  readonly hub: OpenBroker
  readonly cursors: Pick<Cursors, 'reader'>
  readonly readers: readonly TriggerState[]
  readonly resources: ResourceReader
  readonly tried: readonly Tried[]
  readonly letters: readonly Event[]
  /** What the log has. */
  readonly found: readonly Event[]
}

async function whyOfFound(shared: Shared, { event, position, standings }: Found): Promise<WhyEvent> {
  return {
    position,
    source: event.attributes['source'] ?? '',
    attributes: event.attributes,
    arrivedAt: timeOf(event.arrivedAt),
    ...(await whyTriggers(shared, event, standings)),
  }
}

/** Of an event that the log does not have: what its letters and the attempts at it say. */
async function whyOfGone(shared: Shared, source: string): Promise<WhyEvent> {
  const letter = shared.letters.find(({ attributes }) => attributes['source'] === source)
  const event = letter && originalOf(letter)
  return {
    position: null,
    source,
    attributes: event?.attributes ?? null,
    arrivedAt: event ? timeOf(event.arrivedAt) : null,
    ...(await whyTriggers(shared, event, [], source)),
  }
}

async function whyTriggers(
  shared: Shared,
  event: Event | undefined,
  standings: readonly Stands[],
  source?: string,
): Promise<Pick<WhyEvent, 'triggers' | 'others'>> {
  const { cursors, readers } = shared
  const concerned: WhyTrigger[] = []
  const missed: WhyTrigger[] = []
  let explained = 0
  let others = 0
  for (const state of readers) {
    const isMissed = event && cursors.reader(state.key)?.spec.filter.matches(event.attributes) === false
    if (isMissed && explained >= MOST_EXPLAINED) {
      others++
      continue
    }
    const told = whyTrigger(shared, state, event, standings, source)
    if (told && isNothing(told)) missed.push(told)
    else if (told) concerned.push(told)
    if (++explained % SLICE === 0) await new Promise(setImmediate)
  }
  const nearest =
    missed.length <= MOST_MISSED ? missed : missed.toSorted((a, b) => distance(a.misses) - distance(b.misses))
  const shown = nearest.slice(0, MOST_MISSED)
  return { triggers: [...concerned, ...shown], others: others + missed.length - shown.length }
}

/** It does not match, or nobody knows whether it did. */
function isNothing({ matches, attempts, state }: WhyTrigger): boolean {
  return matches !== true && attempts.length === 0 && state === null
}

function whyTrigger(
  shared: Shared,
  state: TriggerState,
  event: Event | undefined,
  standings: readonly Stands[],
  source = event?.attributes['source'] ?? '',
): WhyTrigger | undefined {
  const { hub, resources } = shared
  const resource = resources.get(state.key)?.resource as Trigger | undefined
  const uid = resource?.metadata.uid
  if (!resource || uid === undefined) return undefined
  const wanted = remembered(source)
  const mine = shared.tried.filter(
    (one) => one.source === wanted && one.reader.name === state.name && isAbout(shared, event, source, one),
  )
  const explanation = event ? explainFilter(resource.spec as TriggerFilterSpec, event.attributes) : undefined
  const stands = standings.find(({ id }) => id === uid)
  const cameLater = event !== undefined && mine.length === 0 && !isFor(resource, event)
  const subscription = hub.channel.subscription(uid)
  const { url } = state.route?.subscriber ?? {}
  return {
    name: state.name,
    matches: explanation?.matches ?? null,
    misses: explanation?.misses ?? [],
    cameLater,
    state: cameLater ? null : stateOf(shared, state, source, stands, mine),
    held: subscription?.paused ? 'it is paused' : (state.held ?? null),
    subscriber: url === undefined ? null : printableUrl(url),
    waiting: waitingOf(stands),
    attempts: mine.map(attemptOf),
  }
}

/** Of an event that was sent twice, not what is the other one's. */
function isAbout({ found }: Shared, event: Event | undefined, source: string, { arrivedAt }: Tried): boolean {
  if (event?.arrivedAt === arrivedAt) return true
  return !found.some((other) => other.arrivedAt === arrivedAt && other.attributes['source'] === source)
}

function stateOf(
  shared: Shared,
  { namespace, name }: TriggerState,
  source: string,
  stands: Stands | undefined,
  mine: readonly Tried[],
): WhyTrigger['state'] {
  if (stands && stands.standing !== 'settled') return stands.standing
  const isTwice = shared.found.filter(({ attributes }) => attributes['source'] === source).length > 1
  const isKept = shared.letters.some(
    ({ attributes }) => attributes['source'] === source && causeOf(attributes).reader === `${namespace}/${name}`,
  )
  const last = mine.at(-1)?.outcome
  // The letter may be of another one that was sent with this id.
  if (isKept && !(isTwice && last === 'delivered')) return 'kept'
  if (last !== undefined && last !== 'failed') return last
  return stands ? 'settled' : null
}

function waitingOf(stands: Stands | undefined): WhyTrigger['waiting'] {
  if (!stands?.tries) return null
  const { attempts, dueAt } = stands.tries
  return { attempts, dueAt: dueAt === undefined ? null : timeOf(dueAt) }
}

function attemptOf({ at, ms, status, to, outcome, reason, retryInMs }: Tried): WhyAttempt {
  return {
    at: timeOf(at),
    ms: ms === undefined ? null : Math.round(1_000 * ms) / 1_000,
    status: status ?? null,
    to,
    outcome,
    reason: reason ?? null,
    retryInMs: retryInMs === undefined ? null : Math.round(retryInMs),
  }
}

/** A Trigger that came after the event never had it, unless it was to begin before. */
export function isFor({ metadata }: { readonly metadata: Metadata }, { arrivedAt }: Event): boolean {
  const start = startAtOf({ metadata })
  if (start === 'earliest' || (typeof start === 'object' && start.timeMs <= arrivedAt)) return true
  return Date.parse(metadata.creationTimestamp ?? '') <= arrivedAt
}

/** What its dead-letter log has of events with this id. */
export async function lettersOf({ deadLetters }: OpenBroker, id: string): Promise<readonly Event[]> {
  const letters: Event[] = []
  for await (const { entry } of deadLetters.list()) {
    if (entry.event.attributes['id'] === id) letters.push(entry.event)
    if (letters.length === MOST_FOUND) break
  }
  return letters
}

/** Of a long one the whole is known where there is a letter. */
function sourcesOf(tried: readonly Tried[], letters: readonly Event[]): Iterable<string> {
  const sources = new Map(tried.map(({ source }) => [source, source]))
  for (const { attributes } of letters) sources.set(remembered(attributes['source'] ?? ''), attributes['source'] ?? '')
  return sources.values()
}

const timeOf = (ms: number): string => new Date(ms).toISOString()
