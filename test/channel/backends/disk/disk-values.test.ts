import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { crc32 } from 'node:zlib'
import { MAX_KEY_BYTES, MAX_VALUE_BYTES, type Values } from '../../../../src/core/values.ts'
import { anEvent } from '../../../support/builders.ts'
import { aFaultyDisk, aFolder, aPromptDisk, leftBehind, openStore, removeFolders } from './support.ts'

const KiB = 1_024
const MiB = 1_024 * KiB

describe('values of a data directory', () => {
  after(removeFolders)

  for (const after of ['close', 'kill'] as const) {
    it(`are there after a ${after}, with what was deleted gone`, async () => {
      const dir = path.join(await aFolder(), 'data')
      const first = await openStore(dir)
      await first.store.values.put('a/1', 'old')
      await first.store.values.put('a/2', 'gone soon')
      await first.store.values.put('b/1', 'ünd ein Text 🎉'.repeat(20))
      await first.store.values.put('a/1', '')
      await first.store.values.delete('a/2')
      const left = after === 'kill' ? await leftBehind(dir) : dir
      await first.store.close()

      const { store, faults } = await openStore(left)

      assert.deepEqual(allOf(store.values), { 'a/1': '', 'b/1': 'ünd ein Text 🎉'.repeat(20) })
      assert.deepEqual([...store.values.entries('a/')], [['a/1', '']])
      assert.deepEqual(faults, [])
      await store.close()
    })
  }

  it('outlive the journal segments that they were written in', async () => {
    const dir = path.join(await aFolder(), 'data')
    const { store } = await openStore(dir, { segmentBytes: 32 * KiB, journalBytes: 64 * KiB })
    await store.values.put('early', 'yes')
    for (let i = 0; i < 200; i++) await store.values.put('often', `${i} ${'x'.repeat(KiB)}`)

    const again = await openStore(await leftBehind(dir))

    assert.equal(again.store.values.get('early'), 'yes')
    assert.match(again.store.values.get('often') ?? '', /^199 /)
    await again.store.close()
    await store.close()
  })

  it('are seen once they are stored, in the order of the calls', async () => {
    const { store } = await openStore(path.join(await aFolder(), 'data'))
    const seen: (string | undefined)[] = []

    const stored = [
      store.values.put('a', '1').then(() => seen.push(store.values.get('a'))),
      store.values.delete('a').then(() => seen.push(store.values.get('a'))),
      store.values.put('a', '2').then(() => seen.push(store.values.get('a'))),
    ]

    assert.equal(store.values.get('a'), undefined)
    await Promise.all(stored)
    assert.deepEqual(seen.at(-1), '2')
    await store.close()
  })

  it('are what they were when the disk refused a change', async () => {
    const disk = aFaultyDisk()
    const dir = path.join(await aFolder(), 'data')
    const { store } = await openStore(dir, { disk })
    await store.values.put('a', 'before')
    disk.fail('sync', 'EIO', { part: '.journal' })

    await assert.rejects(store.values.put('a', 'refused'), { code: 'LOG_UNAVAILABLE', retryable: true })

    assert.equal(store.values.get('a'), 'before')
    await store.values.put('b', 'after')
    const again = await openStore(await leftBehind(dir))
    assert.deepEqual(allOf(again.store.values), { a: 'before', b: 'after' })
    await again.store.close()
    await store.close()
  })

  it('have keys and values of a bounded size', async () => {
    const { store } = await openStore(path.join(await aFolder(), 'data'))

    await store.values.put('k'.repeat(MAX_KEY_BYTES), 'v'.repeat(MAX_VALUE_BYTES))
    await assert.rejects(store.values.put('k'.repeat(MAX_KEY_BYTES + 1), ''), {
      code: 'EVENT_TOO_LARGE',
      message: /a key of 1025 bytes .*at most 1024/,
    })
    await assert.rejects(store.values.put('large', 'ü'.repeat(MAX_VALUE_BYTES / 2 + 1)), {
      code: 'EVENT_TOO_LARGE',
      message: /a value of 1048578 bytes \(large\)/,
    })

    assert.deepEqual([...store.values.entries('large')], [])
    await store.close()
  })

  it('are 64 MiB together at most; another in the place of one, and deleting, is possible then', async () => {
    const dir = path.join(await aFolder(), 'data')
    const { store } = await openStore(dir, { disk: aPromptDisk() })
    const value = 'v'.repeat(MAX_VALUE_BYTES - 3)
    const puts = Array.from({ length: 65 }, (_, i) => store.values.put(`k${10 + i}`, value))

    const outcomes = await Promise.allSettled(puts)

    assert.deepEqual(
      outcomes.map(({ status }) => status),
      [...Array(64).fill('fulfilled'), 'rejected'],
    )
    await assert.rejects(puts[64] ?? assert.fail(), {
      code: 'LOG_FULL',
      retryable: true,
      message: /: 67108864 bytes of small values are kept, at most 67108864 may be: no room for k74$/,
    })
    await store.values.put('k10', value)
    await assert.rejects(store.values.put('one', 'more'), { code: 'LOG_FULL' })
    await store.values.delete('k10')
    await store.values.put('one', 'more')
    await store.close()
    const again = await openStore(dir)
    assert.equal(Object.keys(allOf(again.store.values)).length, 64)
    await again.store.close()
  })

  it('are refused once the store is closed', async () => {
    const { store } = await openStore(path.join(await aFolder(), 'data'))
    await store.close()

    await assert.rejects(store.values.put('a', '1'), { code: 'LOG_GONE' })
  })

  it('are as they were in a directory of format version 2, and so are its logs', async () => {
    const dir = path.join(await aFolder(), 'data')
    const ref = { uid: 'u1', name: 'default/one' }
    const first = await openStore(dir)
    await (await first.store.open(ref, { capBytes: MiB })).append(anEvent())
    await first.store.close()
    // It had no count of voids, which stands before the count of values: none here.
    rewriteCheckpoint(dir, 2, (body) => Buffer.concat([body.subarray(0, -2), body.subarray(-1)]))

    const { store, faults } = await openStore(dir)

    assert.deepEqual(allOf(store.values), {})
    assert.equal((await store.open(ref, { capBytes: MiB })).end('0'), 1)
    assert.deepEqual(faults, [])
    assert.equal(readFileSync(path.join(dir, 'checkpoint'))[4], 3)
    await store.close()
  })

  it('keep a program from a directory of a format that it does not know', async () => {
    const dir = path.join(await aFolder(), 'data')
    await (await openStore(dir)).store.close()
    rewriteCheckpoint(dir, 4, (body) => body)

    await assert.rejects(openStore(dir), {
      code: 'LOG_CORRUPT',
      message: /checkpoint: format version 4, where this program reads 2 to 3: start the program that wrote it/,
    })
  })
})

function allOf(values: Values): Record<string, string> {
  return Object.fromEntries(values.entries(''))
}

function rewriteCheckpoint(dir: string, version: number, change: (body: Buffer) => Buffer): void {
  const file = path.join(dir, 'checkpoint')
  const bytes = readFileSync(file)
  const body = change(bytes.subarray(9))
  const header = Buffer.from(bytes.subarray(0, 9))
  header[4] = version
  header.writeUInt32LE(crc32(body), 5)
  writeFileSync(file, Buffer.concat([header, body]))
}
