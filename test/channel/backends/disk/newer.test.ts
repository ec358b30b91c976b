// A directory that a newer program wrote: going back to this one must not cost anything.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { crc32 } from 'node:zlib'
import { FRAME_BYTES } from '../../../../src/channel/backends/disk/record.ts'
import { HEADER_BYTES } from '../../../../src/channel/backends/disk/segment.ts'
import { anEvent } from '../../../support/builders.ts'
import { eventually } from '../../../support/eventually.ts'
import { aFolder, endOfRecords, leftBehind, openStore, removeFolders } from './support.ts'

/** One event a segment, and two segments kept, so that the others become backlog. */
const SMALL = { segmentBytes: 1_024, journalBytes: 2_000 }

describe('a data directory of a newer program', () => {
  after(removeFolders)

  const cases: Readonly<Record<string, (dir: string) => void>> = {
    'its checkpoint is of another version': (dir) => {
      change(path.join(dir, 'checkpoint'), (bytes) => bytes.writeUInt8(200, 4))
    },
    'a segment of its journal is of another version': (dir) => change(lastIn(dir, 'journal'), setVersion),
    'a segment of its backlog is of another version': (dir) => change(lastIn(dir, 'backlog'), setVersion),
    'a record of its journal is of another version': (dir) => change(lastIn(dir, 'journal'), setRecord(0x20)),
    'a record of its journal is of a kind that nobody knows here': (dir) =>
      change(lastIn(dir, 'journal'), setRecord(0x1f)),
  }
  for (const [what, make] of Object.entries(cases)) {
    it(`is refused, and every file is as it was: ${what}`, async () => {
      const dir = await aBusyDirectory()
      make(dir)
      const before = contentsOf(dir)

      await assert.rejects(openStore(dir, { reserveBytes: 4_096 }), { code: 'LOG_CORRUPT', message: /version/ })

      assert.deepEqual(contentsOf(dir), before)
    })
  }

  it('is refused where it is damaged too, and the damage stays where it is', async () => {
    const dir = await aBusyDirectory()
    change(lastIn(dir, 'journal'), setRecord(0x20))
    change(firstIn(dir, 'journal'), (bytes) => bytes.fill(0, 0, 8))
    change(firstIn(dir, 'backlog'), (bytes) => bytes.fill(0, 0, 8))
    const before = contentsOf(dir)

    await assert.rejects(openStore(dir), { message: /: start the program that wrote it, or a newer one$/ })

    assert.deepEqual(contentsOf(dir), before)
  })
})

/** As a kill leaves it: backlog, journal, records after the checkpoint, and a file that is nobody's. */
async function aBusyDirectory(): Promise<string> {
  const dir = path.join(await aFolder(), 'data')
  const { store } = await openStore(dir, SMALL)
  const log = await store.open({ uid: 'u', name: 'default/a' }, { capBytes: 2 ** 20 })
  for (let i = 0; i < 5; i++) await log.append(anEvent({ id: String(i) }, { data: Buffer.alloc(1_024) }))
  await log.createCursor('a', 'earliest')
  await eventually(() => namesIn(dir, 'journal').length <= 2, 'the journal is short, and no checkpoint comes any more')
  await log.createCursor('b', 'earliest')
  const left = await leftBehind(dir)
  await store.close()
  writeFileSync(path.join(left, 'backlog/9-0.backlog'), 'nobody names it')
  return left
}

function change(file: string, edit: (bytes: Buffer) => void): void {
  const bytes = readFileSync(file)
  edit(bytes)
  writeFileSync(file, bytes)
}

function setVersion(bytes: Buffer): void {
  bytes.writeUInt8(200, 4)
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 28)), 28)
}

/** Of the last record, version and kind. */
function setRecord(versionAndKind: number): (bytes: Buffer) => void {
  return (file) => {
    const bytes = file.subarray(0, endOfRecords(file))
    const endOf = (at: number): number => at + FRAME_BYTES + bytes.readUInt32LE(at + 4)
    let at = HEADER_BYTES
    while (endOf(at) < bytes.length) at = endOf(at)
    bytes.writeUInt8(versionAndKind, at + 10)
    bytes.writeUInt32LE(crc32(bytes.subarray(at + 4), crc32(bytes.subarray(8, 16))), at)
  }
}

function namesIn(dir: string, folder: string): string[] {
  return readdirSync(path.join(dir, folder)).sort()
}

function firstIn(dir: string, folder: string): string {
  return path.join(dir, folder, namesIn(dir, folder)[0] ?? '')
}

function lastIn(dir: string, folder: string): string {
  const names = namesIn(dir, folder).filter((name) => !name.startsWith('9-'))
  return path.join(dir, folder, names.at(-1) ?? '')
}

/** A checksum by name, of whatever is in the directory. */
function contentsOf(dir: string): Record<string, number> {
  const files = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  return Object.fromEntries(
    files.map(({ parentPath, name }) => {
      const file = path.join(parentPath, name)
      return [path.relative(dir, file), crc32(readFileSync(file))]
    }),
  )
}
