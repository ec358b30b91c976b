import assert from 'node:assert/strict'
import path from 'node:path'
import { ByteWriter } from '../../../../src/channel/backends/disk/bytes.ts'
import { writeRecord } from '../../../../src/channel/backends/disk/record.ts'
import {
  createSegment,
  type Damage,
  HEADER_BYTES,
  type Segment,
  scanSegment,
} from '../../../../src/channel/backends/disk/segment.ts'
import { aPowerCutDisk } from './power-cut-disk.ts'

describe('a scan of a segment', () => {
  it('finds a record after any number of zeros', async () => {
    for (let zeros = 0; zeros < 40; zeros++) {
      const segment = await aSegment([recordAfter(zeros)])

      assert.deepEqual(await scanned(segment), {
        records: [HEADER_BYTES + zeros],
        damage: zeros === 0 ? [] : [{ from: HEADER_BYTES, to: HEADER_BYTES + zeros, isInLastGroup: true }],
      })
    }
  })

  it('passes what was written ahead of the records in silence', async () => {
    const segment = await aSegment([recordAfter(0), () => Buffer.alloc(3 * 2 ** 20)])

    assert.deepEqual(await scanned(segment), { records: [HEADER_BYTES], damage: [] })
  })

  for (const [groups, isInLastGroup] of [
    [[3], true],
    [[3, 1], false],
  ] as const) {
    it(`says of damage in the first of ${groups.length} groups whether another group begins behind it`, async () => {
      const segment = await aSegment(groups.map((records) => groupOf(records)))
      await segment.file.write(Buffer.of(0xff), HEADER_BYTES + RECORD_BYTES + 20)

      const { damage } = await scanned(segment)

      const from = HEADER_BYTES + RECORD_BYTES
      assert.deepEqual(damage, [{ from, to: from + RECORD_BYTES, isInLastGroup }])
    })
  }

  it('takes no damage for a torn group where records do not tell where groups begin', async () => {
    const segment = await aSegment([groupOf(3)])
    await segment.file.write(Buffer.of(0xff), HEADER_BYTES + RECORD_BYTES + 20)

    const { damage } = await scanned({ ...segment, header: { ...segment.header, marksGroups: false } })

    assert.equal(damage[0]?.isInLastGroup, false)
  })
})

const RECORD = { kind: 'open', log: 1, uid: 'u', name: 'default/one' } as const
const RECORD_BYTES = 11 + 1 + 2 + 12

function groupOf(records: number): (seed: number) => Buffer {
  return (seed) => {
    const writer = new ByteWriter()
    for (let left = records; left > 0; left--) writeRecord(writer, RECORD, seed)
    return writer.written()
  }
}

function recordAfter(zeros: number): (seed: number) => Buffer {
  return (seed) => {
    const writer = new ByteWriter()
    writer.zeros(zeros)
    writeRecord(writer, RECORD, seed)
    return writer.written()
  }
}

async function aSegment(parts: readonly ((seed: number) => Buffer)[]): Promise<Segment> {
  const about = { kind: 'journal', number: 1, previousEnd: 0, isPreviousTorn: false } as const
  const segment = await createSegment(aPowerCutDisk(), path.join('journal', '1'), about)
  const bytes = Buffer.concat(parts.map((part) => part(segment.header.seed)))
  await segment.file.write(bytes, HEADER_BYTES)
  return segment
}

/** Where records were found, and what stood between them. */
async function scanned(segment: Segment): Promise<{ readonly records: number[]; readonly damage: Damage[] }> {
  const records: number[] = []
  const damage: Damage[] = []
  await scanSegment(
    segment,
    HEADER_BYTES,
    await segment.file.size(),
    ({ at }) => {
      records.push(at)
    },
    (one) => damage.push(one),
  )
  return { records, damage }
}
