import assert from 'node:assert/strict'
import { createRoomWait, type RoomWait, type Storer } from '../../src/broker/room-wait.ts'
import { EventingError } from '../../src/core/errors.ts'
import { createFakeClock } from '../support/clock.ts'
import { eventually } from '../support/eventually.ts'

/** Places that can be taken, each by one; `attempts` are the ids in the order in which they tried. */
function aLog(places = 0) {
  const attempts: string[] = []
  const stored: string[] = []
  const log = {
    places,
    attempts,
    stored,
    append: async (id: string): Promise<void> => {
      attempts.push(id)
      if (log.places === 0) throw full()
      log.places--
      stored.push(id)
    },
  }
  return log
}

function full(): EventingError {
  return new EventingError('LOG_FULL', 'full', { retryable: true })
}

describe('waiting for room', () => {
  const never = new AbortController().signal
  const aStorer = (change: Partial<Storer> = {}): Storer => ({ signal: never, holdsFloor: () => false, ...change })
  const ids = (count: number): string[] => Array.from({ length: count }, (_, i) => String(i))
  /** Without moving time on: each that gets in wakes the next. */
  const untilNobodyWaits = async (room: RoomWait): Promise<void> => {
    for (let turns = 0; room.waiting > 0 && turns < 10_000; turns++) await turn()
    assert.equal(room.waiting, 0)
  }
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

  it('is not needed where there is room', async () => {
    const clock = createFakeClock()
    const log = aLog(1)

    await createRoomWait(clock).store(aStorer(), () => log.append('a'))

    assert.deepEqual(log.stored, ['a'])
    assert.equal(clock.pending(), 0)
  })

  it('tries again until there is room, at least about once a second', async () => {
    const clock = createFakeClock()
    const log = aLog()
    const room = createRoomWait(clock)
    const done = room.store(aStorer(), () => log.append('a'))

    await clock.advance(60_000)
    const fruitless = log.attempts.length
    assert.equal(room.waiting, 1)
    log.places = 1
    await clock.advance(1_300)
    await done

    assert.ok(fruitless >= 50 && fruitless <= 90, `${fruitless} attempts in a minute`)
    assert.equal(room.waiting, 0)
    assert.equal(clock.pending(), 0)
  })

  it('lets 640 in with a few attempts for each, when all fit at once', async () => {
    const clock = createFakeClock()
    const log = aLog()
    const room = createRoomWait(clock)
    const done = Promise.all(ids(640).map((id) => room.store(aStorer(), () => log.append(id))))
    await clock.advance(60_000)
    log.attempts.length = 0
    log.places = 640

    await clock.advance(1_300)
    await done

    assert.equal(log.attempts.length, 640)
  })

  it('lets 640 in with a few attempts for each, when there is room for one at a time', async () => {
    const clock = createFakeClock()
    const log = aLog()
    const room = createRoomWait(clock)
    const done = Promise.all(
      ids(640).map((id) =>
        room.store(aStorer(), async () => {
          await log.append(id)
          setImmediate(() => log.places++) // it is settled, which makes room for the next
        }),
      ),
    )
    await clock.advance(60_000)
    log.attempts.length = 0
    log.places = 1

    await clock.advance(1_300)
    await untilNobodyWaits(room)
    await done

    assert.ok(log.attempts.length <= 3 * 640, `${log.attempts.length} attempts`)
  })

  it('lets 640 drain by who holds the floor, with a few attempts for each', async () => {
    const clock = createFakeClock()
    const order = ids(640)
    const floor = new Set(order)
    const holder = (): string | undefined => floor.values().next().value
    let attempts = 0
    const room = createRoomWait(clock)
    const done = Promise.all(
      order.toReversed().map((id) =>
        room.store(aStorer({ holdsFloor: () => holder() === id }), async () => {
          attempts++
          if (holder() !== id) throw full()
          setImmediate(() => floor.delete(id))
        }),
      ),
    )
    await clock.advance(100)
    await untilNobodyWaits(room)
    await done

    assert.ok(attempts <= 5 * 640, `${attempts} attempts`)
  })

  it('wakes the next as soon as one got in', async () => {
    const clock = createFakeClock()
    const log = aLog()
    const room = createRoomWait(clock)
    const waiting = room.store(aStorer(), () => log.append('waits'))
    await turn()
    log.places = 2

    await room.store(aStorer(), () => log.append('comes later'))
    await waiting

    assert.equal(clock.now(), 0)
    assert.deepEqual(log.stored, ['comes later', 'waits'])
  })

  it('asks in the order of the last attempts', async () => {
    const clock = createFakeClock()
    const log = aLog()
    const room = createRoomWait(clock)
    const abort = new AbortController()
    const all = ids(5).map((id) => room.store(aStorer({ signal: abort.signal }), () => log.append(id)))
    await clock.advance(0)
    log.attempts.length = 0

    await clock.advance(3_000)

    assert.deepEqual(log.attempts.slice(0, 10), ['0', '1', '2', '3', '4', '0', '1', '2', '3', '4'])
    abort.abort(new Error('end'))
    await Promise.allSettled(all)
  })

  it('goes on for the others when those whose turn it was are refused for good', async () => {
    const clock = createFakeClock()
    const log = aLog()
    const room = createRoomWait(clock)
    let isGone = false
    const refused = ids(4).map((id) =>
      room.store(aStorer(), async () => {
        if (isGone) throw new EventingError('EVENT_TOO_LARGE', id)
        throw full()
      }),
    )
    const last = room.store(aStorer(), () => log.append('last'))
    await clock.advance(0)
    isGone = true
    log.places = 1
    const outcomes = Promise.allSettled(refused)

    await clock.advance(5_000)
    await last

    assert.ok((await outcomes).every(({ status }) => status === 'rejected'))
    assert.equal(clock.pending(), 0)
  })

  it('ends with the reason of the signal, and leaves no timer', async () => {
    const clock = createFakeClock()
    const log = aLog()
    const room = createRoomWait(clock)
    const abort = new AbortController()
    const all = ids(3).map((id) => room.store(aStorer({ signal: abort.signal }), () => log.append(id)))
    await turn()

    abort.abort(new Error('lane lost'))

    for (const one of all) await assert.rejects(one, /lane lost/)
    assert.equal(room.waiting, 0)
    assert.equal(clock.pending(), 0)
  })

  it('does not begin for a signal that has aborted', async () => {
    const log = aLog()
    const signal = AbortSignal.abort(new Error('lane lost'))

    await assert.rejects(
      createRoomWait(createFakeClock()).store(aStorer({ signal }), () => log.append('a')),
      /lane lost/,
    )
    assert.equal(log.attempts.length, 1)
  })

  it('rejects with what will not pass', async () => {
    const room = createRoomWait(createFakeClock())

    const gone = room.store(aStorer(), async () => {
      throw new EventingError('LOG_GONE', 'removed')
    })

    await assert.rejects(gone, { code: 'LOG_GONE' })
    await eventually(() => room.waiting === 0, 'nobody waits')
  })
})
