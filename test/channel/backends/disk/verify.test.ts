import assert from 'node:assert/strict'
import { readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import fc from 'fast-check'
import { type ReadableDisk, readOnlyDisk } from '../../../../src/channel/backends/disk/disk.ts'
import type { Report } from '../../../../src/channel/backends/disk/report.ts'
import { verifyDirectory } from '../../../../src/channel/backends/disk/verify.ts'
import { encodeCursor } from '../../../../src/channel/cursor.ts'
import type { EventLog, Position } from '../../../../src/channel/log.ts'
import { type Clock, createClock } from '../../../../src/core/clock.ts'
import { eventBytes } from '../../../../src/core/event.ts'
import { anEvent } from '../../../support/builders.ts'
import { eventually } from '../../../support/eventually.ts'
import { longMark, roundsOf } from '../../../support/long.ts'
import { aFolder, laneOf, leftBehind, openStore, removeFolders } from './support.ts'

const KiB = 1_024
/** Some seven events a segment, and two or three segments. */
const SMALL = { segmentBytes: 8 * KiB, journalBytes: 24 * KiB, recentBytes: 0 }
const a = { uid: 'u-a', name: 'shop/a' }
const b = { uid: 'u-b', name: 'shop/b' }
const config = { capBytes: 2 ** 26 }

describe('looking at a data directory', () => {
  after(removeFolders)

  it('tells what is in it, and that nothing is missing', async () => {
    const dir = path.join(await aFolder(), 'data')
    const { store } = await openStore(dir)
    const log = await store.open(a, config)
    await log.createCursor('slow', 'earliest')
    await log.createCursor('covered', 'now')
    await append(log, 5)
    await store.values.put('pause/x', 'yes')
    const unsettled = [{ position: 1, attempt: 1, waitMs: 0, dueAt: 0 }]
    await (await laneOf(log)).save({
      base: 2,
      put: new Map([['slow', encodeCursor({ next: 3, unsettled, ahead: [] })]]),
      covered: ['covered'],
    })
    await store.close()

    const report = await look(dir)

    assert.deepEqual(report.logs, [
      {
        name: 'shop/a',
        uid: 'u-a',
        entries: 5,
        bytes: 5 * eventBytes(anEvent({ id: '0' }, { data: Buffer.alloc(KiB) })),
        first: { position: 0, arrivedAt: anEvent().arrivedAt },
        last: { position: 4, arrivedAt: anEvent().arrivedAt },
        base: 2,
        end: 5,
        cursors: [
          { id: 'slow', floor: 1, next: 3, unsettled: 1, behind: 3 },
          { id: 'covered', floor: 2, next: 2, unsettled: 0, behind: 3 },
        ],
        missing: [],
      },
    ])
    assert.deepEqual([...report.values], [['pause/x', 'yes']])
    assert.equal(report.checkpoint?.version, 3)
    assert.deepEqual([report.problems, report.notes, report.locks], [[], [], []])
  })

  it('reads a directory that is in use, in the state that its last acknowledgement left it in', async () => {
    const dir = path.join(await aFolder(), 'data')
    const { store } = await openStore(dir, SMALL)
    const log = await store.open(a, config)
    await append(log, 50)

    const report = await look(dir)

    assert.equal(report.logs[0]?.entries, 50)
    assert.deepEqual(report.problems, [])
    assert.equal(report.locks.length, 1)
    await store.close()
  })

  it('changes no file, whatever it finds', async () => {
    const dir = await aDirectory()
    writeFileSync(path.join(dir, 'backlog/9-0.backlog'), 'nobody names it')
    damage(dir, 'journal', 0, 0, 40)
    damage(dir, 'backlog', 1, 2_000, 10)
    const before = statesOf(dir)

    await look(dir)

    assert.deepEqual(statesOf(dir), before)
  })

  it('says of a tail that was cut off what it is, and finds nothing wrong with it', async () => {
    const dir = await aDirectory()
    const last = filesIn(dir, 'journal').at(-1) ?? ''
    const end = endOfRecords(last)
    flip(last, end, 100)

    const { notes, problems } = await look(dir)

    assert.deepEqual(problems, [])
    assert.deepEqual(notes, [
      {
        file: last,
        offset: end,
        what: '100 bytes follow the last record: a group that was being written, as a crash leaves it, or a server at work',
      },
    ])
  })

  it('waits for a group whose end is seen before its beginning', async () => {
    const dir = await aDirectory()
    const last = filesIn(dir, 'journal').at(-1) ?? ''
    let isHalfSeen = true
    const clock: Clock = {
      ...createClock(),
      async sleep() {
        isHalfSeen = false
      },
    }
    const disk: ReadableDisk = {
      ...readOnlyDisk(),
      async openForReading(file) {
        const opened = await readOnlyDisk().openForReading(file)
        if (file !== last) return opened
        const read = async (into: Buffer, at: number): Promise<number> => {
          const bytes = await opened.read(into, at)
          if (isHalfSeen && at === 32) into.fill(0, 0, readRecordEnd(file) - at)
          return bytes
        }
        return { ...opened, read }
      },
    }

    const { problems } = await verifyDirectory(disk, dir, clock)

    assert.equal(isHalfSeen, false)
    assert.deepEqual(problems, [])
  })

  it('tells of damage where it is, which positions were in it, and what to do', async () => {
    const dir = await aDirectory()
    const [file = ''] = filesIn(dir, 'backlog')
    damage(dir, 'backlog', 0, 100, 1)

    const { problems, logs } = await look(dir)

    const next =
      'Restore the directory from a backup, or go on without: a start passes what it cannot read, and says so.'
    const end = readRecordEnd(file)
    assert.deepEqual(problems, [
      { file, offset: 32, what: `damaged up to ${end}`, next },
      { file, offset: end, what: 'shop/a: positions 0 to 0 are missing', next },
    ])
    assert.deepEqual(logs[0]?.missing, [{ from: 0, to: 0 }])
  })

  it('finds nothing wrong with damage in what everybody has settled', async () => {
    const dir = await aDirectory({ settled: 1 })
    const [file = ''] = filesIn(dir, 'backlog')
    damage(dir, 'backlog', 0, 100, 1)

    const { problems, notes } = await look(dir)

    assert.deepEqual(problems, [])
    const what = `damaged up to ${readRecordEnd(file)}; nothing that is still needed stood there`
    assert.deepEqual(notes, [{ file, offset: 32, what }])
  })

  it('tells of a file that is gone', async () => {
    const dir = await aDirectory()
    const [file = ''] = filesIn(dir, 'backlog')
    rmSync(file)

    const { problems } = await look(dir)

    assert.equal(problems.length, 1)
    assert.equal(problems[0]?.file, file)
    assert.match(problems[0]?.what ?? '', /^the file is gone; shop\/a: positions 0 to \d+ are missing$/)
  })

  it('finds nothing wrong with a backlog file that is gone because it was settled', async () => {
    const dir = path.join(await aFolder(), 'data')
    const { store } = await openStore(dir, SMALL)
    const log = await store.open(a, config)
    await append(log, 40)
    await eventually(() => filesIn(dir, 'backlog').length > 0, 'some went to the backlog')
    await settle(log, 40)
    await eventually(() => filesIn(dir, 'backlog').length === 0, 'and is gone')
    const left = await leftWhole(dir)
    await store.close()

    const { problems } = await look(left)

    assert.deepEqual(problems, [])
  })

  it('misses nothing of what was given up before it was settled', async () => {
    const dir = path.join(await aFolder(), 'data')
    const { store } = await openStore(dir, SMALL)
    const log = await store.open(a, { ...config, expiry: { bytes: 16 * KiB, ms: Infinity } })
    await log.createCursor('slow', 'earliest')
    await append(log, 60)
    const [lane] = await log.lanes()
    const left = await leftWhole(dir)
    await store.close()

    const { problems, logs } = await look(left)

    assert.deepEqual(problems, [])
    assert.ok((lane?.start ?? 0) > 0)
    assert.equal(logs[0]?.first?.position, lane?.start)
    assert.equal(logs[0]?.last?.position, 59)
  })

  it('tells of a start that would be refused: a journal file is gone', async () => {
    const dir = await aDirectory()
    await (await openStore(dir, SMALL)).store.close()
    const file = filesIn(dir, 'journal').at(-1) ?? ''
    rmSync(file)

    const { problems } = await look(dir)

    assert.equal(problems.find((each) => each.file === file)?.what.slice(0, 16), 'the file is gone')
    await assert.rejects(openStore(dir), { code: 'LOG_LOST' })
  })

  it('tells of a start that would be refused: the checkpoint is damaged, or a newer program wrote it', async () => {
    for (const at of [4, 40]) {
      const dir = await aDirectory()
      const file = path.join(dir, 'checkpoint')
      flip(file, at, 1)

      const { problems, logs } = await look(dir)

      assert.deepEqual(logs, [])
      assert.equal(problems.length, 1)
      assert.equal(problems[0]?.file, file)
      assert.match(
        problems[0]?.what ?? '',
        at === 4 ? /^format version \d+, .*or a newer one$/ : /its checksum is another/,
      )
      await assert.rejects(openStore(dir), { code: 'LOG_CORRUPT' })
    }
  })

  it('tells a copy whose checkpoint is newer than its journal', async () => {
    const dir = await aDirectory()
    const { store } = await openStore(dir, SMALL)
    await append(await store.open(a, config), 1)
    await store.close()
    const last = filesIn(dir, 'journal').at(-1) ?? ''
    truncateSync(last, endOfRecords(last) - 20)

    const { problems } = await look(dir)

    assert.match(problems[0]?.next ?? '', /make another copy with tidings log backup/)
    const opened = await openStore(dir)
    assert.match(opened.faults.join(), /damaged from \d+/)
    await opened.store.close()
  })

  it('tells that there is no data directory', async () => {
    const dir = await aFolder()

    await assert.rejects(look(dir), { code: 'LOG_LOST', message: new RegExp(`^${dir}: this is no data directory`) })
    await assert.rejects(look(path.join(dir, 'none')), { code: 'LOG_LOST' })
  })

  it(`misses what a start then misses, wherever the damage is${longMark}`, async function () {
    const numRuns = roundsOf({ short: 20, long: 1_000 })
    this.timeout(10_000 + 1_000 * numRuns)
    const clean = await aDirectory()
    const places = ['journal', 'backlog'].flatMap((folder) =>
      filesIn(clean, folder).map((file, number) => ({ folder, number, size: statSync(file).size })),
    )
    const aHit = fc.constantFrom(...places).chain(({ folder, number, size }) =>
      fc.record({
        folder: fc.constant(folder),
        number: fc.constant(number),
        at: fc.nat(size - 1),
        bytes: fc.integer({ min: 1, max: 3_000 }),
      }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(aHit, { minLength: 1, maxLength: 3 }), async (hits) => {
        const dir = await leftBehind(clean)
        for (const { folder, number, at, bytes } of hits) damage(dir, folder, number, at, bytes)

        const { logs, problems, notes } = await look(dir)

        const isRefused = problems.some(({ next }) => next?.startsWith('A start is refused'))
        // Damage that reaches to the journal's very end cannot be told from what a crash leaves there.
        const isAtEnd = notes.some(({ what }) => what.includes('follow the last record'))
        const found = isRefused || isAtEnd ? undefined : await missedByAStart(dir)
        if (found) {
          for (const [name, missed] of Object.entries(found)) {
            const told = logs.find((log) => log.name === name)?.missing.flatMap(positionsOf)
            // Of a file without a header nobody can say what was in it.
            const isUnknown = problems.some(({ what }) => what.startsWith('its header is damaged'))
            if (!isUnknown) assert.deepEqual(told, missed, name)
          }
        }
        rmSync(path.dirname(dir), { recursive: true })
      }),
      { numRuns },
    )
  })
})

const look = (dir: string): Promise<Report> => verifyDirectory(readOnlyDisk(), dir, createClock())

/** Two logs, as a kill leaves them: entries in backlog and journal, before and after the checkpoint. */
async function aDirectory({ settled = 0 } = {}): Promise<string> {
  const dir = path.join(await aFolder(), 'data')
  const before = await openStore(dir, SMALL)
  const [one, other] = [await before.store.open(a, config), await before.store.open(b, config)]
  await one.createCursor('c', 'earliest')
  await other.createCursor('c', 'earliest')
  for (let i = 0; i < 6; i++) {
    await append(one, 5)
    await append(other, 3)
  }
  if (settled > 0) await settle(one, settled)
  await eventually(() => filesIn(dir, 'backlog').length > 0, 'some went to the backlog')
  await before.store.close()
  const { store } = await openStore(dir)
  await append(await store.open(a, config), 3)
  const left = await leftBehind(dir)
  await store.close()
  return left
}

/** Files that go while they are copied may be missing from the copy: it is made again then. */
async function leftWhole(dir: string): Promise<string> {
  for (;;) {
    const before = readFileSync(path.join(dir, 'checkpoint'))
    const left = await leftBehind(dir).catch(() => undefined)
    if (left && before.equals(readFileSync(path.join(dir, 'checkpoint')))) return left
  }
}

async function append(log: EventLog, count: number): Promise<void> {
  const data = Buffer.alloc(KiB)
  for (let i = 0; i < count; i++) await log.append(anEvent({ id: String(i % 10) }, { data }))
}

async function settle(log: EventLog, before: Position): Promise<void> {
  const lane = await laneOf(log)
  const ids = [...(await lane.cursors()).own.keys()]
  await lane.save({ base: before, put: new Map(), covered: ids })
  await lane.trim(before)
}

/** By name of the log, the positions that should be read and are not. */
async function missedByAStart(dir: string): Promise<Record<string, number[]>> {
  const { store } = await openStore(dir, SMALL)
  const missed: Record<string, number[]> = {}
  for (const [ref, appended] of [
    [a, 33],
    [b, 18],
  ] as const) {
    const found = new Set<number>()
    const log = await store.open(ref, config).catch(() => undefined)
    const [lane] = (await log?.lanes()) ?? []
    if (log && lane && lane.start < lane.end) {
      for await (const { entries, next } of log.read('0', lane.start, AbortSignal.timeout(5_000))) {
        for (const { position } of entries) found.add(position)
        if (next >= lane.end) break
      }
    }
    missed[ref.name] = Array.from({ length: appended }, (_, position) => position).filter((each) => !found.has(each))
  }
  await store.close()
  return missed
}

function positionsOf({ from, to }: { readonly from: number; readonly to: number }): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i)
}

function damage(dir: string, folder: string, number: number, at: number, bytes: number): void {
  flip(filesIn(dir, folder)[number] ?? '', at, bytes)
}

function flip(file: string, at: number, bytes: number): void {
  const content = readFileSync(file)
  for (let i = at; i < Math.min(at + bytes, content.length); i++) content[i] = ~(content[i] as number)
  writeFileSync(file, content)
}

/** Of the first record. */
function readRecordEnd(file: string): number {
  return 32 + 11 + readFileSync(file).readUInt32LE(32 + 4)
}

/** Before the zeros that are written ahead. */
function endOfRecords(file: string): number {
  const bytes = readFileSync(file)
  let at = 32
  while (at + 11 <= bytes.length && bytes.readUInt32LE(at + 4) > 0) at += 11 + bytes.readUInt32LE(at + 4)
  return at
}

function filesIn(dir: string, folder: string): string[] {
  return readdirSync(path.join(dir, folder))
    .sort()
    .map((name) => path.join(dir, folder, name))
}

/** Contents and times of change. */
function statesOf(dir: string): unknown[] {
  const files = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  return files.map(({ parentPath, name }) => {
    const file = path.join(parentPath, name)
    return [file, statSync(file).mtimeMs, readFileSync(file).toString('base64').slice(0, 100_000)]
  })
}
