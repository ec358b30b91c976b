// Which uid owns which topic, for the whole installation: a compacted topic of one partition. Of several claims the one
// that was written first stands. A log is ready once its topics were made; from then on they are never made again.
import { EventingError } from '../../../core/errors.ts'
import type { Message } from './client.ts'
import type { Wire } from './wire.ts'

export interface Registered {
  readonly topic: string
  readonly uid: string
  readonly isExternal: boolean
  readonly isReady: boolean
}

export interface Registry {
  /** What a uid owns, as of now and for all processes. */
  ownedBy(uid: string): Promise<Registered | undefined>
  isClaimed(topic: string): Promise<boolean>
  /** Resolves with what is registered then; LOG_CONFLICT where that is another uid's. */
  claim(topic: string, uid: string, isExternal: boolean): Promise<Registered>
  ready(uid: string): Promise<void>
  remove(topic: string, uid: string): Promise<void>
}

const CLAIM = 'claim/'
const READY = 'ready/'

interface Claim {
  readonly isExternal: boolean
}

const FETCH_BYTES = 2 ** 20

export function createRegistry(wire: Wire, registry: string): Registry {
  /** Topic to its claims, by uid, first one first. */
  const claims = new Map<string, Map<string, Claim>>()
  const ready = new Set<string>()
  let next = 0
  let reading: Promise<void> = Promise.resolve()

  /** One after the other, each to the end as of when it begins. */
  function sync(): Promise<void> {
    reading = reading.catch(() => undefined).then(readToEnd)
    return reading
  }

  async function readToEnd(): Promise<void> {
    for (;;) {
      const { records, end } = await wire.fetch(registry, 0, next, FETCH_BYTES)
      const from = next
      for (const { offset, key, value } of records.from(from)) {
        next = offset + 1
        apply(String(key), value === null ? undefined : (JSON.parse(String(value)) as Claim))
      }
      next = Math.max(records.next, next)
      if (next >= end) return
      if (next === from) next++ // what stood there was compacted
    }
  }

  function apply(key: string, value: Claim | undefined): void {
    if (key.startsWith(READY)) {
      const uid = key.slice(READY.length)
      if (value) ready.add(uid)
      else ready.delete(uid)
    } else if (key.startsWith(CLAIM)) {
      const [, topic = '', uid = ''] = key.split('/')
      const all = claims.get(topic) ?? new Map<string, Claim>()
      claims.set(topic, all)
      if (value) all.set(uid, value)
      else all.delete(uid)
      if (all.size === 0) claims.delete(topic)
    }
  }

  function registered(topic: string): Registered | undefined {
    const [first] = claims.get(topic) ?? []
    if (!first) return undefined
    const [uid, { isExternal }] = first
    return { topic, uid, isExternal, isReady: ready.has(uid) }
  }

  async function write(...messages: readonly Message[]): Promise<void> {
    await wire.produce(registry, new Map([[0, messages]]))
  }

  return {
    async ownedBy(uid) {
      await sync()
      for (const topic of claims.keys()) {
        const found = registered(topic)
        if (found?.uid === uid) return found
      }
      return undefined
    },
    async isClaimed(topic) {
      await sync()
      return claims.has(topic)
    },
    async claim(topic, uid, isExternal) {
      await sync()
      if (!registered(topic)) {
        await write({ key: `${CLAIM}${topic}/${uid}`, value: JSON.stringify({ isExternal }) })
        await sync()
      }
      const found = registered(topic)
      if (found?.uid === uid) return found
      if (claims.get(topic)?.has(uid)) await write({ key: `${CLAIM}${topic}/${uid}`, value: null })
      throw new EventingError('LOG_CONFLICT', `the topic ${topic} belongs to another uid (${found?.uid})`)
    },
    async ready(uid) {
      await write({ key: READY + uid, value: '{}' })
    },
    async remove(topic, uid) {
      await sync()
      if (!claims.get(topic)?.has(uid)) return
      await write({ key: `${CLAIM}${topic}/${uid}`, value: null }, { key: READY + uid, value: null })
    },
  }
}
