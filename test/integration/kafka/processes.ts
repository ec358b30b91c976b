// Several processes serve one log: lanes change hands while events come and go, and one process is killed.
import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import path from 'node:path'
import { NO_AUTH } from '../../../src/channel/backends/kafka/auth.ts'
import type { KafkaStore } from '../../../src/channel/backends/kafka/options.ts'
import { openKafkaStore } from '../../../src/channel/backends/kafka/store.ts'
import { createClock } from '../../../src/core/clock.ts'
import { codeOf } from '../../../src/core/errors.ts'
import { storedIn } from '../../conformance/log/support.ts'
import { anEvent } from '../../conformance/support.ts'
import { eventually } from '../../support/eventually.ts'
import { roundsOf } from '../../support/long.ts'
import { sharedBrokers } from '../../support/servers/shared-kafka.ts'
import { itUsing } from '../../support/servers/there.ts'
import type { HandedOut } from './member.ts'

const LANES = 6
const KEYS = 30
const SESSION_MS = 6_000
/** A save that is due may wait for the machine, and for the server. */
const LATE_SAVE_MS = 1_500

interface Told extends HandedOut {
  readonly by: string
}

export function describeProcesses(): void {
  describe('processes on one log on Kafka', function () {
    this.timeout(120_000)
    const members = new Set<ChildProcess>()

    afterEach(() => {
      for (const member of members) member.kill('SIGKILL')
      members.clear()
    })

    itUsing(
      ['kafka'],
      'C22 C28 G2 G7 G16 change hands, two processes, three, and one, without loss and in order',
      async () => {
        const servers = await sharedBrokers()
        const registryTopic = `tidings-registry-${randomUUID().slice(0, 8)}`
        const ref = { uid: randomUUID(), name: `default/${randomUUID().slice(0, 8)}` }
        const store = await openStore(servers, registryTopic)
        const log = await store.open(ref, { capBytes: 2 ** 28 })
        for (const id of ['ordered', 'unordered']) await log.createCursor(id, 'now')
        const told: Told[] = []
        const start = (by: string): Promise<ChildProcess> =>
          startProcess('member.ts', [servers.join(','), registryTopic, ref.uid, ref.name], members, (one) =>
            told.push({ ...(one as HandedOut), by }),
          )
        const sent: string[] = []
        let isSending = true

        const first = await start('first')
        const second = await start('second')
        const sending = (async () => {
          for (let n = 0; isSending; n++) {
            const id = `${n % KEYS}/${Math.floor(n / KEYS)}`
            await log.append(anEvent({ id, key: `key-${n % KEYS}` }))
            sent.push(id)
            if (n % 5 === 0) await new Promise((resolve) => setTimeout(resolve, 10))
          }
        })()
        await eventually(
          () => lanesOf(told, 'first').size > 0 && lanesOf(told, 'second').size > 0,
          'two share the lanes',
          20_000,
        )
        const third = await start('third')
        await eventually(() => lanesOf(told, 'third').size > 0, 'the third has a lane', 20_000)
        await new Promise((resolve) => setTimeout(resolve, 1_500))
        // Killed as a new one joins: the group waits for the dead one, for all of its session, and everybody waits with it.
        const fourth = await start('fourth')
        const before = told.length
        third.kill('SIGKILL')
        const killedAt = Date.now()
        await eventually(
          () => lanesOf(told.slice(before), 'first', 'second', 'fourth').size === LANES,
          'all lanes are served',
          30_000,
        )
        const takenOverMs = Date.now() - killedAt
        second.kill('SIGTERM')
        fourth.kill('SIGTERM')
        await eventually(() => lanesOf(told.slice(-500), 'first').size === LANES, 'the first has all lanes', 20_000)
        await new Promise((resolve) => setTimeout(resolve, 1_000))
        isSending = false
        await sending
        const missing = (): number => 2 * sent.length - firstOf(told).size
        await eventually(() => missing() === 0, 'everything was handed out', 30_000)

        assert.equal(missing(), 0)
        assertInOrder(told.filter(({ subscription }) => subscription === 'ordered'))
        const repeated = assertRepeatedAreLate(told)
        const others = new Set(told.filter(({ by }) => by !== 'first').map(({ lane }) => lane))
        const kept = [...lanesOf(told, 'first')].filter((lane) => !others.has(lane))
        const pauseMs = longestPauseMs(told, kept)
        assert.ok(kept.length > 0, 'no lane was kept')
        assert.ok(pauseMs < SESSION_MS / 2, `a lane that was kept paused for ${pauseMs} ms`)
        console.log(
          `      ${sent.length} events, ${repeated} of ${told.length} hand-outs repeated; ${kept.length} lanes that`,
        )
        console.log(
          `      were kept paused for at most ${pauseMs} ms, those of the killed process for ${takenOverMs} ms`,
        )
        first.kill('SIGTERM')
        await store.close()
      },
    )

    itUsing(['kafka'], 'C28 make one log of it when several open it at once', async () => {
      const servers = await sharedBrokers()
      const registryTopic = `tidings-registry-${randomUUID().slice(0, 8)}`
      const ref = { uid: randomUUID(), name: `default/${randomUUID().slice(0, 8)}` }
      const stores = await Promise.all(Array.from({ length: 4 }, () => openStore(servers, registryTopic)))

      const logs = await Promise.all(stores.map((store) => store.open(ref, { capBytes: 2 ** 20 })))
      await Promise.all(logs.map((log, n) => log.append(anEvent({ id: `from ${n}` }))))

      for (const log of logs) assert.equal((await storedIn(log)).length, 4)
      for (const store of stores) await store.close()
    })

    itUsing(['kafka'], 'C18 one that only publishes hears that others settled what filled the log', async () => {
      const servers = await sharedBrokers()
      const registryTopic = `tidings-registry-${randomUUID().slice(0, 8)}`
      const ref = { uid: randomUUID(), name: `default/${randomUUID().slice(0, 8)}` }
      const stores = [await openStore(servers, registryTopic), await openStore(servers, registryTopic)]
      const [publisher, owner] = await Promise.all(stores.map((store) => store.open(ref, { capBytes: 100_000 })))
      assert.ok(publisher && owner)
      const stop = new AbortController()
      const owning = owner.own(async (lane) => {
        while (!lane.signal.aborted) {
          const end = (await owner.lanes()).find(({ id }) => id === lane.id)?.end ?? 0
          await lane.save({ base: end, put: new Map(), covered: [] })
          await lane.trim(end)
          await new Promise((resolve) => setTimeout(resolve, 50))
        }
      }, stop.signal)

      for (let sent = 0; sent < 300; sent++) {
        await eventually(async () => {
          const event = anEvent({ data: Buffer.alloc(1_000) })
          return publisher.append(event).then(
            () => true,
            (error) => codeOf(error) !== 'LOG_FULL',
          )
        }, `event ${sent} is taken`)
      }

      assert.ok(publisher.size().bytes < 100_000)
      stop.abort()
      await owning
      for (const store of stores) await store.close()
    })

    itUsing(['kafka'], 'C3 G1 a process that is killed while it publishes: all that it was told is there', async () => {
      const servers = await sharedBrokers()
      const registryTopic = `tidings-registry-${randomUUID().slice(0, 8)}`
      const ref = { uid: randomUUID(), name: `default/${randomUUID().slice(0, 8)}` }
      const store = await openStore(servers, registryTopic)
      const log = await store.open(ref, { capBytes: 2 ** 28 })
      const accepted = new Set<string>()

      for (let round = 0; round < roundsOf({ short: 3, long: 30 }); round++) {
        const before = accepted.size
        const args = [servers.join(','), registryTopic, ref.uid, ref.name, String(round)]
        const publisher = await startProcess('publisher.ts', args, members, (id) => accepted.add(id as string))
        await eventually(() => accepted.size - before > 100 + Math.random() * 900, 'it publishes', 20_000)
        publisher.kill('SIGKILL')
        await new Promise((resolve) => publisher.once('exit', resolve))
      }

      const stored = new Set((await storedIn(log)).map(({ event }) => event.attributes['id']))
      assert.deepEqual(
        [...accepted].filter((id) => !stored.has(id)),
        [],
      )
      await store.close()
    })
  })
}

function openStore(bootstrapServers: readonly string[], registryTopic: string): Promise<KafkaStore> {
  return openKafkaStore({
    bootstrapServers,
    auth: NO_AUTH,
    clock: createClock(),
    maxEventBytes: 2 ** 20,
    sessionTimeoutMs: SESSION_MS,
    registryTopic,
    replicationFactor: 1,
    partitions: LANES,
    onFault: () => {},
  })
}

async function startProcess(
  file: string,
  args: readonly string[],
  members: Set<ChildProcess>,
  told: (message: unknown) => void,
): Promise<ChildProcess> {
  const member = fork(path.join(import.meta.dirname, file), args, { execArgv: ['--import', 'tsx'] })
  members.add(member)
  member.on('exit', () => members.delete(member))
  await new Promise<void>((resolve, reject) => {
    member.on('message', (message) => {
      if (message === 'ready') resolve()
      else told(message)
    })
    member.on('exit', () => reject(new Error('the process ended before it was ready')))
  })
  return member
}

function lanesOf(told: readonly Told[], ...processes: readonly string[]): ReadonlySet<string> {
  return new Set(told.filter(({ by }) => processes.includes(by)).map(({ lane }) => lane))
}

/** By subscription and event, the place of the first hand-out. */
function firstOf(told: readonly HandedOut[]): ReadonlyMap<string, number> {
  const first = new Map<string, number>()
  told.forEach(({ subscription, id }, at) => {
    const what = `${subscription} ${id}`
    if (!first.has(what)) first.set(what, at)
  })
  return first
}

/** First hand-outs of a key, by the number in its id. */
function assertInOrder(told: readonly HandedOut[]): void {
  const last = new Map<string, number>()
  for (const at of firstOf(told).values()) {
    const [key = '', number = ''] = (told[at]?.id ?? '').split('/')
    assert.equal(Number(number), (last.get(key) ?? -1) + 1, `key ${key}`)
    last.set(key, Number(number))
  }
}

/** What is repeated was in flight, or settled in the last second, when its lane went to another process. */
function assertRepeatedAreLate(told: readonly Told[]): number {
  const last = new Map<string, Told>()
  const lastOf = new Map<string, number>()
  let repeated = 0
  for (const one of told) {
    const what = `${one.subscription} ${one.id}`
    const before = last.get(what)
    if (before) {
      repeated++
      assert.notEqual(before.by, one.by, `${what} was handed out twice by one process`)
      const ageMs = (lastOf.get(`${before.by} ${one.lane}`) ?? 0) - before.atMs
      assert.ok(ageMs <= 1_000 + LATE_SAVE_MS, `${what} was repeated ${ageMs} ms after it was handed out`)
    }
    last.set(what, one)
    lastOf.set(`${one.by} ${one.lane}`, one.atMs)
  }
  return repeated
}

/** The longest time in which a lane that one process kept handed nothing out. */
function longestPauseMs(told: readonly HandedOut[], kept: readonly string[]): number {
  let longest = 0
  for (const lane of kept) {
    const times = told.filter((one) => one.lane === lane).map(({ atMs }) => atMs)
    for (let at = 1; at < times.length; at++) longest = Math.max(longest, (times[at] ?? 0) - (times[at - 1] ?? 0))
  }
  return longest
}
