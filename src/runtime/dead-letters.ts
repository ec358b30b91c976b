// What waits in the dead-letter logs of all Brokers, channels and sources: counted by cause, shown, redriven to those that
// it failed for, or discarded.
import type { OpenBroker } from '../broker/broker.ts'
import { causeOf, compileLetterMatch, errorTextOf, type LetterMatch } from '../broker/letter.ts'
import type { Unsettled } from '../channel/contents.ts'
import type { Attributes } from '../core/event.ts'
import { keyOf, kindOf, nameOf, type ResourceKey, type ResourceName, resourceNameOf } from '../store/resource-store.ts'
import type { Cursors } from './cursors.ts'
import type { Hubs } from './hubs.ts'
import type { Reruns } from './reruns.ts'

/** Which letters are meant. What is absent asks for nothing. */
export interface LetterSelection extends LetterMatch {
  /** Of the Broker, channel or source that they wait at. */
  readonly namespace?: string
  readonly name?: string
  readonly kinds?: readonly string[]
}

/** Letters that failed alike. Times are RFC 3339, of when they came into the log. */
export interface LetterGroup {
  /** The Broker, channel or source in whose log they wait. */
  readonly log: ResourceName
  /** The Trigger, Subscription or source that they failed for. */
  readonly reader: ResourceName
  /** Whether it is there: they cannot be redriven else. */
  readonly isReaderThere: boolean
  readonly code: string
  readonly destination: string
  readonly count: number
  readonly oldestAt: string
  readonly newestAt: string
  /** The types of events that are most among them. */
  readonly types: readonly { readonly type: string; readonly count: number }[]
  /** Of the oldest of them. */
  readonly ids: readonly string[]
  /** What the last answer said, or why there was none. */
  readonly text: string
}

export interface LetterListing {
  /** The largest first. */
  readonly groups: readonly LetterGroup[]
  readonly scanned: number
  /** False when there are more letters, or groups, than one listing looks at: what is counted is the oldest part. */
  readonly isComplete: boolean
}

export interface Letter {
  readonly log: ResourceName
  readonly reader: ResourceName
  readonly code: string
  readonly destination: string
  readonly text: string
  readonly keptAt: string
  /** As stored, the attributes that say why included. */
  readonly attributes: Readonly<Record<string, string>>
  readonly dataBase64: string | null
}

/** What was, or would be, redriven for one reader. */
export interface Redriven {
  readonly log: ResourceName
  readonly reader: ResourceName
  readonly count: number
  /** Of the redrive that was begun; null when none was. */
  readonly id: string | null
  /** Why none was begun, or would be. */
  readonly error: string | null
}

export interface DeadLetters {
  list(selection: LetterSelection): Promise<LetterListing>
  /** The oldest of them, `most` at most, and no more than 8 MiB, or one. */
  show(selection: LetterSelection, most: number): Promise<readonly Letter[]>
  /** Each goes to what it failed for and to nothing else. `isDry`: only tells what would be done. */
  redrive(
    selection: LetterSelection,
    options: { readonly ratePerSecond?: number; readonly isDry: boolean },
  ): Promise<readonly Redriven[]>
  /** Resolves with how many were discarded, or would be. */
  discard(selection: LetterSelection, options: { readonly isDry: boolean }): Promise<number>
}

/** One listing reads so many letters at most: about two seconds. */
const MOST_SCANNED = 200_000
const MOST_SHOWN_BYTES = 8 * 2 ** 20
const MOST_GROUPS = 500
const MOST_TYPES = 5
const MOST_TYPES_COUNTED = 100
const MOST_IDS = 3

export function createDeadLetters(hubs: Hubs, cursors: Cursors, reruns: Reruns): DeadLetters {
  function* logs({ namespace, name, kinds }: LetterSelection): Generator<readonly [ResourceKey, OpenBroker]> {
    for (const [key, hub] of hubs.entries()) {
      if (namespace !== undefined && hub.namespace !== namespace) continue
      if (kinds !== undefined && !kinds.includes(kindOf(key))) continue
      if (name === undefined || hub.name === name) yield [key, hub]
    }
  }

  async function* letters(selection: LetterSelection): AsyncGenerator<{ key: ResourceKey; letter: Unsettled }> {
    const isMeant = compileLetterMatch(selection)
    for await (const found of allLetters(selection)) {
      if (isMeant(found.letter.entry.event.attributes)) yield found
    }
  }

  /** Those of the logs that are meant, whatever they are. */
  async function* allLetters(selection: LetterSelection): AsyncGenerator<{ key: ResourceKey; letter: Unsettled }> {
    for (const [key, hub] of logs(selection)) {
      for await (const letter of hub.deadLetters.list()) yield { key, letter }
    }
  }

  async function list(selection: LetterSelection): Promise<LetterListing> {
    const isMeant = compileLetterMatch(selection)
    const groups = new Map<string, Counting>()
    let scanned = 0
    let isComplete = true
    for await (const { key, letter } of allLetters(selection)) {
      if (scanned === MOST_SCANNED) {
        isComplete = false
        break
      }
      scanned++
      if (!isMeant(letter.entry.event.attributes)) continue
      const { reader, code, destination } = causeOf(letter.entry.event.attributes)
      const name = [key, reader, code, destination].join('\n')
      let group = groups.get(name)
      if (!group && groups.size === MOST_GROUPS) {
        isComplete = false
        continue
      }
      group ??= new Counting(key, letter)
      groups.set(name, group)
      group.add(letter)
    }
    const counted = [...groups.values()].map((group) => group.result(cursors))
    return { groups: counted.sort((a, b) => b.count - a.count), scanned, isComplete }
  }

  /** Counts per log and reader. */
  async function count(selection: LetterSelection) {
    const counts = new Map<string, { readonly key: ResourceKey; readonly reader: ResourceKey; count: number }>()
    for await (const { key, letter } of letters(selection)) {
      const reader = readerKeyOf(key, causeOf(letter.entry.event.attributes).reader)
      const name = `${key}\n${reader}`
      const counted = counts.get(name) ?? { key, reader, count: 0 }
      counted.count++
      counts.set(name, counted)
    }
    return [...counts.values()]
  }

  /** Why nothing can be redriven for this reader. */
  function missing(reader: ResourceKey): string | null {
    if (cursors.reader(reader)) return null
    return `there is no ${kindOf(reader)} ${nameOf(reader)} any more: apply it again, or discard these`
  }

  async function redriveOne(selection: LetterSelection, key: ResourceKey, reader: ResourceKey, ratePerSecond?: number) {
    const { code, destination, type, ids } = selection
    const match = {
      ...(code !== undefined && { code }),
      ...(destination !== undefined && { destination }),
      ...(type !== undefined && { type }),
      ...(ids !== undefined && { ids }),
    }
    try {
      return { id: await reruns.redrive(reader, key, match, ratePerSecond), error: null }
    } catch (error) {
      return { id: null, error: error instanceof Error ? error.message : String(error) }
    }
  }

  return {
    list,

    async show(selection, most) {
      const found: Letter[] = []
      let bytes = 0
      for await (const { key, letter } of letters(selection)) {
        bytes += letter.entry.bytes
        if (found.length === most || (bytes > MOST_SHOWN_BYTES && found.length > 0)) break
        found.push(describe(key, letter))
      }
      return found
    },

    async redrive(selection, { ratePerSecond, isDry }) {
      const redriven: Redriven[] = []
      for (const { key, reader, count: letters } of await count(selection)) {
        const error = missing(reader)
        const isNot = isDry || error !== null
        const begun = isNot ? { id: null, error } : await redriveOne(selection, key, reader, ratePerSecond)
        redriven.push({ log: resourceNameOf(key), reader: resourceNameOf(reader), count: letters, ...begun })
      }
      return redriven
    },

    async discard(selection, { isDry }) {
      if (isDry) return (await count(selection)).reduce((sum, counted) => sum + counted.count, 0)
      const isMeant = compileLetterMatch(selection)
      let discarded = 0
      for (const [, hub] of logs(selection)) {
        discarded += await hub.deadLetters.discard(({ entry }) => isMeant(entry.event.attributes))
      }
      return discarded
    },
  }
}

class Counting {
  readonly #key: ResourceKey
  readonly #oldest: Unsettled
  #newest: Unsettled
  #count = 0
  readonly #types = new Map<string, number>()
  readonly #ids: string[] = []

  constructor(key: ResourceKey, oldest: Unsettled) {
    this.#key = key
    this.#oldest = this.#newest = oldest
  }

  add(letter: Unsettled): void {
    const { type = '', id = '' } = letter.entry.event.attributes
    this.#count++
    this.#newest = letter
    if (this.#types.has(type) || this.#types.size < MOST_TYPES_COUNTED) {
      this.#types.set(type, (this.#types.get(type) ?? 0) + 1)
    }
    if (this.#ids.length < MOST_IDS) this.#ids.push(id)
  }

  result(cursors: Cursors): LetterGroup {
    const { attributes } = this.#newest.entry.event
    const reader = readerKeyOf(this.#key, causeOf(attributes).reader)
    const types = [...this.#types].map(([type, count]) => ({ type, count }))
    return {
      ...originOf(this.#key, attributes),
      isReaderThere: cursors.reader(reader) !== undefined,
      count: this.#count,
      oldestAt: timeOf(this.#oldest),
      newestAt: timeOf(this.#newest),
      types: types.sort((a, b) => b.count - a.count).slice(0, MOST_TYPES),
      ids: this.#ids,
      text: errorTextOf(attributes),
    }
  }
}

function describe(key: ResourceKey, letter: Unsettled): Letter {
  const { attributes, data } = letter.entry.event
  return {
    ...originOf(key, attributes),
    text: errorTextOf(attributes),
    keptAt: timeOf(letter),
    attributes,
    dataBase64: data?.toString('base64') ?? null,
  }
}

function timeOf({ entry }: Unsettled): string {
  return new Date(entry.event.arrivedAt).toISOString()
}

function originOf(key: ResourceKey, attributes: Attributes) {
  const { reader, code, destination } = causeOf(attributes)
  return { log: resourceNameOf(key), reader: resourceNameOf(readerKeyOf(key, reader)), code, destination }
}

/** A source's log has what failed for the source itself. */
function readerKeyOf(hub: ResourceKey, reader: string): ResourceKey {
  const [namespace = '', name = ''] = reader.split('/')
  const kind = kindOf(hub)
  if (kind === 'Broker') return keyOf('eventing.knative.dev/v1', 'Trigger', namespace, name)
  if (kind === 'InMemoryChannel' || kind === 'KafkaChannel')
    return keyOf('messaging.knative.dev/v1', 'Subscription', namespace, name)
  return hub
}
