import assert from 'node:assert/strict'
import { Body, type Item } from '../../src/channel/item.ts'
import type { Entry } from '../../src/channel/log.ts'
import { Slots } from '../../src/channel/slots.ts'
import { newStats, type Subscription } from '../../src/channel/subscription.ts'
import { Window, type WindowHost } from '../../src/channel/window.ts'
import { Budget } from '../../src/core/budget.ts'
import { anEvent } from '../support/builders.ts'
import { createFakeClock } from '../support/clock.ts'

const TAKEN = 40
const BODY_BYTES = 100

describe('a window that took up what it had', () => {
  it('has many bodies read at once, without a slot for each', () => {
    const { window, asked } = aWindow({ maxInFlight: 1 })

    window.pump()

    assert.ok(asked.length > 20, `${asked.length} are read`)
    assert.equal(window.inFlight, 0)
  })

  it('wants more once the bodies that it waited for come too late', () => {
    const { window, asked, wants } = aWindow({})
    window.pump()
    for (const item of window.unsettled.items()) window.skip(item)
    wants.length = 0

    for (const item of asked) window.arrived(item, aBody(item.position))

    assert.ok(wants.length > 0)
  })

  it('wants more once the bodies that it waited for cannot come', () => {
    const { window, asked, wants } = aWindow({})
    window.pump()
    for (const item of window.unsettled.items()) window.skip(item)
    wants.length = 0

    for (const item of asked) window.expire(item)

    assert.ok(wants.length > 0)
  })

  it('holds no more than it may, however much is read for it, and is done in the end', () => {
    const { window, asked } = aWindow({ subscriptionBytes: 3 * BODY_BYTES })
    const running: Item[] = []
    let most = 0
    window.pump()

    for (let item = asked.shift(); item; item = asked.shift()) {
      window.arrived(item, aBody(item.position))
      most = Math.max(most, window.heldBytes)
      if (item.isRunning) running.push(item)
      if (asked.length === 0) for (const done of running.splice(0)) done.done({ kind: 'settled', outcome: 'delivered' })
    }

    assert.deepEqual([window.unsettled.size, most], [0, 3 * BODY_BYTES])
  })
})

describe('a window behind the head', () => {
  for (const [lanes, most] of [
    [1, 1_000],
    [10, 100],
    [500, 32],
  ] as const) {
    it(`on one of ${lanes} lanes takes what runs and ${most} more`, () => {
      const { window } = aWindow({ maxInFlight: 1, lanes, taken: 0 })

      let taken = 0
      while (window.hasUse(BODY_BYTES)) window.offer(aBody(taken++))

      // What runs is unsettled too.
      assert.equal(taken, Math.min(most + 1, 1_000))
    })
  }
})

interface Given {
  readonly maxInFlight?: number
  readonly lanes?: number
  readonly taken?: number
  readonly subscriptionBytes?: number
}

function aWindow({ maxInFlight = 64, subscriptionBytes = 2 ** 20, lanes = 1, taken = TAKEN }: Given) {
  const asked: Item[] = []
  const wants: Window[] = []
  const host: WindowHost = {
    lane: '0',
    clock: createFakeClock(),
    budget: new Budget(2 ** 30),
    limits: { subscriptionBytes, heldWaitMs: 5_000 },
    lanes: () => lanes,
    signal: new AbortController().signal,
    handsOut: () => true,
    changed: () => undefined,
    settled: () => undefined,
    wants: (window) => wants.push(window),
    fetch: (item) => asked.push(item),
    holdsFloor: () => false,
  }
  const spec = { filter: {}, ordered: false, maxInFlight, maxUnsettled: 1_000, deliver: () => undefined }
  const subscription = {
    ...{ id: 'a', spec, paused: false, stats: newStats(), pace: undefined, slots: new Slots(), live: true },
  } as unknown as Subscription
  const window = new Window(subscription, host, taken)
  const unsettled = Array.from({ length: taken }, (_, position) => ({ position, attempt: 0, waitMs: 0, dueAt: 0 }))
  window.restore({ next: taken, unsettled, ahead: [] })
  return { window, asked, wants }
}

function aBody(position: number): Body {
  const entry: Entry = { position, event: anEvent(), bytes: BODY_BYTES }
  return new Body(entry)
}
