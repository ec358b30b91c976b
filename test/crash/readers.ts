// Who reads the events of a crash storm, and how their subscribers behave: quick, slow, failing, away, paused, some in order,
// some with a dead letter sink, some whose dead letters are kept, some that reply.
import type { Random } from '../support/random.ts'

export const NAMESPACE = 'storm'
/** Paths of the data port that events are published to. */
export const BROKER_A = `${NAMESPACE}/a`
export const BROKER_B = `${NAMESPACE}/b`
export const CHANNEL = `channels/${NAMESPACE}/relay`
export const ANSWER = 'answer'
export const POISON = 'poison'

/** What must become of an event that a reader wants: one of these, at least once. */
export type Fate = 'taken' | 'in its dead letter sink' | 'in the dead-letter log' | 'taken or in the dead-letter log'

export interface Reaction {
  readonly status: number
  readonly delayMs?: number
  /** Comes back with an event that is put into the broker. */
  readonly replies?: boolean
}

export interface Reader {
  /** Of the Trigger or Subscription, and the path of its subscriber. */
  readonly name: string
  /** Where the events that it wants are published, or put by a reply. */
  readonly target: string
  /** Undefined for all. */
  readonly type: string | undefined
  readonly fate: Fate
  readonly isOrdered: boolean
  /** The path to which what it refuses is sent, if not to the dead-letter log. */
  readonly sink?: string
  /** It takes, from another broker, what this reader refuses. */
  readonly after?: string
  /** Where its replies are put. */
  readonly repliesTo?: string
  /** In its Trigger's spec. */
  readonly delivery?: string
  /** First round in which it is there; what was published before is not for it. */
  readonly since?: number
  react(random: Random): Reaction
}

const RETRIES = 'retry: 100000, backoffPolicy: linear, backoffDelay: PT0.005S'
const FEW_RETRIES = 'retry: 2, backoffPolicy: linear, backoffDelay: PT0.01S'

const TAKEN: Reaction = { status: 202 }
const takes = (): Reaction => TAKEN
const quicklyOrNot = (random: Random): Reaction =>
  random.int(5) > 0 ? TAKEN : { status: 202, delayMs: random.int(40) }
const failsOften = (random: Random): Reaction => {
  const status = random.pick([202, 202, 202, 202, 503, 500, 429])
  return { status, delayMs: random.int(4) === 0 ? random.int(10) : 0 }
}

function reader(name: string, target: string, type: string | undefined, more: Partial<Reader> = {}): Reader {
  return { name, target, type, fate: 'taken', isOrdered: false, react: takes, ...more }
}

/** Its server goes away for some rounds. */
export const AWAY = 'away'
/** Paused now and then. */
export const PAUSED = 'paused'
/** Refuses everything for some rounds; what it refused is redriven then. */
export const MENDED = 'mended'
/** Has events replayed to it. */
export const REPLAYED = 'replayed'
/** Its manifest goes away for some rounds: what is published then may pass it. */
export const FICKLE = 'fickle'

export const READERS: readonly Reader[] = [
  reader('all', BROKER_A, undefined),
  reader('in-order', BROKER_A, 'order', { isOrdered: true, delivery: RETRIES, react: failsOften }),
  reader('slow', BROKER_A, 'note', {
    react: (random) => ({ status: 202, delayMs: random.int(random.int(10) === 0 ? 150 : 10) }),
  }),
  reader('failing', BROKER_A, 'note', { delivery: RETRIES, react: failsOften }),
  reader(AWAY, BROKER_A, 'order', { delivery: RETRIES, react: quicklyOrNot }),
  reader(PAUSED, BROKER_A, 'note'),
  reader(FICKLE, BROKER_A, 'order', { react: quicklyOrNot }),
  reader('asked', BROKER_A, 'ask', {
    repliesTo: BROKER_A,
    react: (random) => ({ status: 200, replies: true, delayMs: random.int(10) }),
  }),
  reader('answered', BROKER_A, ANSWER, { react: quicklyOrNot }),
  reader('refusing', BROKER_A, POISON, {
    fate: 'in its dead letter sink',
    sink: 'refused',
    delivery: `${FEW_RETRIES}, deadLetterSink: {uri: 'SERVER/refused'}`,
    react: (random) => ({ status: random.pick([400, 500]) }),
  }),
  reader('keeping', BROKER_A, POISON, {
    fate: 'in the dead-letter log',
    delivery: FEW_RETRIES,
    react: (random) => ({ status: random.pick([400, 500]) }),
  }),
  reader('passing-on', BROKER_A, POISON, {
    fate: 'in its dead letter sink',
    sink: 'passed-on',
    delivery: `retry: 0, deadLetterSink: {ref: {apiVersion: eventing.knative.dev/v1, kind: Broker, name: b}}`,
    react: () => ({ status: 400 }),
  }),
  reader(MENDED, BROKER_A, 'order', { fate: 'taken or in the dead-letter log', delivery: 'retry: 0' }),
  reader(REPLAYED, BROKER_A, 'note', { react: quicklyOrNot }),
  reader('passed-on', BROKER_A, POISON, { after: 'passing-on', react: quicklyOrNot }),
  reader('few-keys', BROKER_B, 'order', { isOrdered: true, delivery: RETRIES, react: failsOften }),
  reader('relay', CHANNEL, undefined, {
    repliesTo: BROKER_B,
    delivery: RETRIES,
    react: (random) => (random.int(4) > 0 ? { status: 200, replies: true } : { status: 503 }),
  }),
  reader('relayed', BROKER_B, ANSWER, { react: quicklyOrNot }),
]

/** A Trigger that comes while the storm goes on. */
export function aLateReader(since: number): Reader {
  return reader(`late-${since}`, BROKER_A, 'order', { since, react: quicklyOrNot })
}

/** Manifests of the readers, whose subscribers are at these addresses, and of what they read. */
export function manifestsOf(readers: readonly Reader[], urlOf: (reader: Reader) => string): string {
  return [
    resource('eventing.knative.dev/v1', 'Broker', 'a'),
    resource('eventing.knative.dev/v1', 'Broker', 'b'),
    resource('messaging.knative.dev/v1', 'InMemoryChannel', 'relay'),
    ...readers.map((each) => manifestOf(each, urlOf(each))),
  ].join('')
}

function manifestOf(reader: Reader, url: string): string {
  const subscriber = `subscriber: {uri: '${url}/${reader.name}'}`
  const delivery = reader.delivery ? [`delivery: {${reader.delivery.replace('SERVER', url)}}`] : []
  if (reader.target === CHANNEL) {
    return resource('messaging.knative.dev/v1', 'Subscription', reader.name, [
      'channel: {apiVersion: messaging.knative.dev/v1, kind: InMemoryChannel, name: relay}',
      'reply: {ref: {apiVersion: eventing.knative.dev/v1, kind: Broker, name: b}}',
      subscriber,
      ...delivery,
    ])
  }
  const broker = reader.after === undefined ? reader.target.slice(NAMESPACE.length + 1) : 'b'
  const filter = reader.type === undefined ? [] : [`filter: {attributes: {type: ${reader.type}}}`]
  const annotations = reader.isOrdered ? ', annotations: {kafka.eventing.knative.dev/delivery.order: ordered}' : ''
  const spec = [`broker: ${broker}`, subscriber, ...filter, ...delivery]
  return resource('eventing.knative.dev/v1', 'Trigger', reader.name, spec, annotations)
}

function resource(apiVersion: string, kind: string, name: string, spec: readonly string[] = [], metadata = ''): string {
  const fields = spec.length === 0 ? ' {}\n' : `\n${spec.map((field) => `  ${field}\n`).join('')}`
  const about = `{name: ${name}, namespace: ${NAMESPACE}${metadata}}`
  return `---\napiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: ${about}\nspec:${fields}`
}
