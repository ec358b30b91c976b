import assert from 'node:assert/strict'
import fc from 'fast-check'
import { ByteWriter } from '../../../../src/channel/backends/disk/bytes.ts'
import {
  copyRecord,
  type DiskRecord,
  FRAME_BYTES,
  frameAt,
  isRecord,
  MAX_BODY_BYTES,
  readEntryHead,
  readRecord,
  writeRecord,
} from '../../../../src/channel/backends/disk/record.ts'
import { type Event, eventBytes } from '../../../../src/core/event.ts'
import { anEvent } from '../../../support/builders.ts'

const SEED = 0x5eed5eed

const aPlain = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record<T>(model, { noNullPrototype: true })

const aText = fc.string({ unit: 'binary', maxLength: 80 })
const aBody = fc.option(
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  { nil: undefined },
)
const anyEvent: fc.Arbitrary<Event> = aPlain({
  attributes: fc.dictionary(fc.stringMatching(/^[a-z0-9]{1,20}$/), aText, { noNullPrototype: true }),
  data: aBody,
  headers: fc.array(aText, { maxLength: 6 }),
  arrivedAt: fc.maxSafeNat(),
})
const aState = fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes))
const anyRecord: fc.Arbitrary<DiskRecord> = fc.oneof(
  aPlain({
    kind: fc.constant('entry' as const),
    log: fc.nat(),
    position: fc.maxSafeNat(),
    bytes: fc.nat(),
    event: anyEvent,
  }),
  aPlain({ kind: fc.constant('open' as const), log: fc.nat(), uid: aText, name: aText }),
  aPlain({ kind: fc.constant('remove' as const), log: fc.nat() }),
  aPlain({ kind: fc.constant('create' as const), log: fc.nat(), id: aText, floor: fc.maxSafeNat() }),
  aPlain({ kind: fc.constant('drop' as const), log: fc.nat(), id: aText }),
  aPlain({
    kind: fc.constant('save' as const),
    log: fc.nat(),
    base: fc.maxSafeNat(),
    put: fc
      .array(fc.tuple(aText, aPlain({ floor: fc.maxSafeNat(), state: aState })))
      .map((list) => new Map<string, { floor: number; state: Uint8Array }>(list)),
    covered: fc.array(aText),
  }),
  aPlain({ kind: fc.constant('put' as const), key: aText, value: aText }),
  aPlain({ kind: fc.constant('delete' as const), key: aText }),
)

describe('a record', () => {
  it('says what was written, whatever that was', () => {
    fc.assert(
      fc.property(anyRecord, (record) => {
        const bytes = encode(record)

        assert.deepEqual(readRecord(bytes, frameAt(bytes, 0, SEED)), record)
      }),
    )
  })

  it('is short, and says where it would end, when any of its bytes are missing', () => {
    fc.assert(
      fc.property(anyRecord, (record) => {
        const bytes = encode(record)

        for (let length = 0; length < bytes.length; length++) {
          const end = length < FRAME_BYTES ? FRAME_BYTES : bytes.length
          assert.deepEqual(frameAt(bytes.subarray(0, length), 0, SEED), { kind: 'short', end })
        }
      }),
      { numRuns: 25 },
    )
  })

  it('is not taken for one when any of its bytes is another', () => {
    fc.assert(
      fc.property(anyRecord, fc.integer({ min: 1, max: 255 }), (record, flip) => {
        const bytes = encode(record)

        for (let at = 0; at < bytes.length; at++) {
          const other = Buffer.from(bytes)
          other[at] = (other[at] as number) ^ flip
          assert.ok(['bad', 'short'].includes(frameAt(other, 0, SEED).kind), `byte ${at}`)
        }
      }),
      { numRuns: 25 },
    )
  })

  it('is not taken for one of another file', () => {
    fc.assert(
      fc.property(anyRecord, fc.integer({ min: 1, max: 2 ** 31 }), (record, seed) => {
        fc.pre(seed !== SEED)

        assert.notEqual(frameAt(encode(record), 0, seed).kind, record.kind)
      }),
    )
  })

  it('says the same after it was copied into another file', () => {
    fc.assert(
      fc.property(anyRecord, (record) => {
        const bytes = encode(record)
        const frame = frameAt(bytes, 0, SEED)
        assert.ok(isRecord(frame))
        const writer = new ByteWriter(16)

        copyRecord(writer, bytes, frame, 7)

        assert.deepEqual(readRecord(writer.written(), frameAt(writer.written(), 0, 7)), record)
      }),
    )
  })

  it('tells log, position and size of an entry without its event', () => {
    const event = anEvent({}, { data: 'abc' })
    const bytes = encode({ kind: 'entry', log: 3, position: 2 ** 40, bytes: eventBytes(event), event })
    const frame = frameAt(bytes, 0, SEED)
    assert.equal(frame.kind, 'entry')

    assert.deepEqual(readEntryHead(bytes, frame), { log: 3, position: 2 ** 40, bytes: eventBytes(event) })
  })

  it('does not grow beyond the largest size, and leaves what was written before', () => {
    const writer = new ByteWriter()
    writeRecord(writer, { kind: 'remove', log: 1 }, SEED)
    const event = anEvent({}, { data: Buffer.alloc(MAX_BODY_BYTES) })

    assert.throws(() => writeRecord(writer, { kind: 'entry', log: 1, position: 0, bytes: 1, event }, SEED), {
      code: 'EVENT_TOO_LARGE',
      retryable: false,
    })

    assert.equal(frameAt(writer.written(), 0, SEED).kind, 'remove')
    assert.equal(writer.at, FRAME_BYTES + 1)
  })

  it('whose checksum holds and whose body makes no sense is corrupt', () => {
    const bytes = encode({ kind: 'open', log: 1, uid: 'u', name: 'n' })
    const frame = frameAt(bytes, 0, SEED)
    assert.equal(frame.kind, 'open')

    assert.throws(() => readRecord(bytes, { ...frame, kind: 'save' }), { code: 'LOG_CORRUPT' })
  })
})

function encode(record: DiskRecord): Buffer {
  const writer = new ByteWriter(16)
  writeRecord(writer, record, SEED)
  return Buffer.from(writer.written())
}
