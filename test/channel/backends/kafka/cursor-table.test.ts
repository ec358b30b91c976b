import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Message } from '../../../../src/channel/backends/kafka/client.ts'
import {
  applyMessages,
  CursorTable,
  changeRecords,
  claimRecord,
  dropRecords,
  inBatches,
  madeRecord,
  releaseRecord,
  snapshotRecords,
} from '../../../../src/channel/backends/kafka/cursor-table.ts'
import { cursorAt } from '../../../../src/channel/cursor.ts'

describe('a table of cursors', () => {
  it('has the owner that claimed last, at the offset of its claim', () => {
    const { table } = written([claimRecord('a', '1')], [claimRecord('b', '2')])

    assert.equal(table.epoch, 1)
    assert.equal(table.holder, 'b')
  })

  it('has no owner once the last one released, and has one when an older one does', () => {
    assert.equal(written([claimRecord('a', '1')], [releaseRecord(0)]).table.holder, undefined)
    assert.equal(written([claimRecord('a', '1')], [claimRecord('b', '2')], [releaseRecord(0)]).table.holder, 'b')
  })

  it('has what a save says', () => {
    const change = { base: 9, put: new Map([['slow', { floor: 4, state: Uint8Array.of(1, 255) }]]), covered: ['fast'] }
    const { table } = written([madeRecord('slow', 0, 'x'), madeRecord('fast', 0, 'x')], [claimRecord('a', '1')])

    write(table, changeRecords(2, change))

    assert.equal(table.base, 9)
    assert.deepEqual(table.cursors.get('slow')?.record, { floor: 4, state: Buffer.from([1, 255]) })
    assert.equal(table.cursors.get('fast')?.record, undefined)
    assert.equal(table.floor(), 4)
  })

  it('leaves the base where it was when an old owner moves it', () => {
    const { table } = written([madeRecord('a', 3, 'x')], [claimRecord('old', '1')], [claimRecord('new', '2')])

    write(table, changeRecords(1, { base: 90, put: new Map(), covered: [] }))

    assert.equal(table.base, 0)
  })

  it('takes what an old owner covered for a floor of its own', () => {
    const { table } = written([madeRecord('a', 3, 'x')], [claimRecord('old', '1')], [claimRecord('new', '2')])
    write(table, changeRecords(2, { base: 200, put: new Map(), covered: [] }))

    write(table, changeRecords(1, { base: 90, put: new Map(), covered: ['a'] }))

    assert.deepEqual(table.cursors.get('a')?.record, cursorAt(90))
    assert.equal(table.base, 200)
  })

  it('takes what an old owner put for what it says', () => {
    const { table } = written([madeRecord('a', 3, 'x')], [claimRecord('old', '1')], [claimRecord('new', '2')])
    write(table, changeRecords(2, { base: 200, put: new Map([['a', cursorAt(150)]]), covered: [] }))

    write(table, changeRecords(1, { base: 90, put: new Map([['a', cursorAt(80)]]), covered: [] }))

    assert.equal(table.cursors.get('a')?.record?.floor, 80)
    assert.equal(table.floor(), 80)
  })

  it('keeps the first of two that are made at once', () => {
    const { table } = written([madeRecord('a', 5, 'x')], [madeRecord('a', 9, 'y')])

    assert.equal(table.cursors.get('a')?.record?.floor, 5)
  })

  it('forgets a cursor with all that was made of it, and does not take a late save for a new one', () => {
    const { table } = written([madeRecord('a', 5, 'x')], [madeRecord('a', 9, 'y')], [claimRecord('o', '1')])

    write(table, dropRecords(table, 'a'))
    write(table, changeRecords(2, { base: 0, put: new Map([['a', cursorAt(7)]]), covered: [] }))

    assert.equal(table.cursors.has('a'), false)
    assert.equal(table.floor(), 0)
  })

  it('has nothing to drop of a cursor that is not there', () => {
    assert.deepEqual(dropRecords(new CursorTable(), 'a'), [])
  })

  it('never says that more is settled when a save is cut off', () => {
    const put = new Map([['b', { floor: 12, state: Uint8Array.of(1) }]])
    const change = { base: 50, put, covered: ['a', 'c'] }
    const whole = changeRecords(3, change)
    for (let kept = 0; kept <= whole.length; kept++) {
      const { table } = written(
        [madeRecord('a', 10, 'x'), madeRecord('b', 10, 'x'), madeRecord('c', 10, 'x')],
        [claimRecord('o', '1')],
      )
      write(table, whole.slice(0, kept))

      for (const [id, settled] of [
        ['a', 50],
        ['b', 12],
        ['c', 50],
      ] as const) {
        const cursor = table.cursors.get(id)
        assert.ok(cursor)
        const floor = cursor.record?.floor ?? table.standing(cursor)
        assert.ok(floor <= settled, `${id} stands at ${floor} after ${kept} records`)
        assert.ok(floor >= 10)
      }
    }
  })

  it('is the same after a new owner said everything again, and compaction removed the rest', () => {
    fc.assert(
      fc.property(fc.array(anyStep(), { maxLength: 40 }), (steps) => {
        const { table, log } = written()
        const append = (messages: readonly Message[]): number => {
          const offset = log.length
          log.push(...messages)
          applyMessages(table, offset, messages)
          return offset
        }
        for (const step of steps) append(step(table))
        const claim = claimRecord('last', 'last')
        const epoch = append([claim])
        append(snapshotRecords(table, epoch, String(claim.key)))

        assert.deepEqual(stateOf(compacted(log)), stateOf(table))
      }),
    )
  })

  it('writes what is too much for one batch in several, in order', () => {
    const messages = Array.from({ length: 10 }, (_, i) => madeRecord(`cursor-${i}`, i, 'x'))

    const batches = inBatches(messages, 200)

    assert.ok(batches.length > 1)
    assert.deepEqual(batches.flat(), messages)
  })
})

type Step = (table: CursorTable) => readonly Message[]

/** What owners, old ones too, and anybody else may write next. */
function anyStep(): fc.Arbitrary<Step> {
  const id = fc.constantFrom('a', 'b', 'c')
  const position = fc.nat(100)
  const epoch = (table: CursorTable, isOld: boolean): number => (isOld ? table.epoch - 1 : table.epoch)
  return fc.oneof(
    fc.nat().map(
      (random): Step =>
        () => [claimRecord('m', String(random))],
    ),
    fc.tuple(id, position, fc.nat()).map(
      ([made, floor, random]): Step =>
        () => [madeRecord(made, floor, String(random))],
    ),
    id.map(
      (dropped): Step =>
        (table) =>
          dropRecords(table, dropped),
    ),
    fc.boolean().map(
      (isOld): Step =>
        (table) => [releaseRecord(epoch(table, isOld))],
    ),
    fc.tuple(id, id, position, position, fc.boolean()).map(
      ([put, covered, floor, base, isOld]): Step =>
        (table) =>
          changeRecords(epoch(table, isOld), { base, put: new Map([[put, cursorAt(floor)]]), covered: [covered] }),
    ),
  )
}

/** Only the last record of each key is left, where it stood; removed keys are gone. */
function compacted(log: readonly Message[]): CursorTable {
  const last = new Map(log.map(({ key }, offset) => [String(key), offset]))
  const table = new CursorTable()
  log.forEach((message, offset) => {
    if (last.get(String(message.key)) === offset && message.value !== null) applyMessages(table, offset, [message])
  })
  return table
}

function stateOf(table: CursorTable): unknown {
  const cursors = [...table.cursors].map(([id, cursor]) => [
    id,
    cursor.record ? [cursor.record.floor, [...cursor.record.state]] : ['at least', table.standing(cursor)],
  ])
  return { base: table.base, epoch: table.epoch, holder: table.holder, cursors: cursors.sort() }
}

function written(...batches: readonly (readonly Message[])[]): { table: CursorTable; log: Message[] } {
  const table = new CursorTable()
  const log: Message[] = []
  for (const batch of batches) {
    applyMessages(table, log.length, batch)
    log.push(...batch)
  }
  return { table, log }
}

function write(table: CursorTable, messages: readonly Message[]): void {
  applyMessages(table, table.next, messages)
}
