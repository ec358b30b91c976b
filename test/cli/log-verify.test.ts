import assert from 'node:assert/strict'
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { openDiskStore } from '../../src/channel/backends/disk/store.ts'
import { createClock } from '../../src/core/clock.ts'
import { anEvent } from '../support/builders.ts'
import { run } from '../support/command.ts'

describe('tidings log verify', () => {
  let folder = ''
  let dir = ''

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'tidings-log-'))
    dir = path.join(folder, 'data')
    const store = await openDiskStore({ dir, clock: createClock(), onFault: assert.fail, reserveBytes: 0 })
    const log = await store.open({ uid: 'u', name: 'shop/orders' }, { capBytes: 2 ** 20 })
    await store.values.put('uid/eventing.knative.dev/Trigger/shop/mail', 'c-1')
    await log.createCursor('c-1', 'now')
    await log.createCursor('c-2', 'now')
    await log.append(anEvent({ id: '1' }))
    await log.append(anEvent({ id: '2' }))
    await store.close()
  })
  afterEach(() => rm(folder, { recursive: true }))

  it('says what is in a directory, with names for cursors whose names it knows', async () => {
    const { code, out, err } = await run(['log', 'verify', dir])

    assert.deepEqual([code, err], [0, ''])
    assert.equal(
      out,
      `${dir}: format 3, 1 journal file of 1.0 MiB, 0 backlog files of 0 B, 1 value

LOG           ENTRIES   BYTES     FIRST   ARRIVED                    LAST   ARRIVED                    BASE
shop/orders   2         1.6 KiB   0       2026-01-02T03:04:05.678Z   1      2026-01-02T03:04:05.678Z   0

CURSOR              LOG           FLOOR   NEXT   UNSETTLED   BEHIND
Trigger shop/mail   shop/orders   0       0      0           2
c-2                 shop/orders   0       0      0           2

Nothing that was acknowledged is missing.
`,
    )
  })

  it('says what is missing, where, and what to do, and fails', async () => {
    const file = path.join(dir, 'journal/0000000001.journal')
    await truncate(file, 40)

    const { code, out } = await run(['log', 'verify', dir])

    assert.equal(code, 1)
    const at = `${file}:32`
    assert.match(
      out,
      new RegExp(`^ {2}${at}: the journal ends here, and its checkpoint is of segment 1, byte \\d+$`, 'm'),
    )
    assert.match(
      out,
      new RegExp(`^ {2}${at}: shop/orders: positions 0 to 1 are missing\n {2}Restore the directory`, 'm'),
    )
    assert.match(out, /^What was acknowledged may be missing:$/m)
  })

  it('lets nothing that came from elsewhere steer a terminal', async () => {
    const store = await openDiskStore({ dir, clock: createClock(), onFault: assert.fail, reserveBytes: 0 })
    const log = await store.open({ uid: 'v', name: 'shop/\u001b[2J' }, { capBytes: 2 ** 20 })
    await log.createCursor('\u001b[2J', 'now')
    await store.close()
    await writeFile(path.join(dir, '\u001b[2J.lock'), '')

    const { out } = await run(['log', 'verify', dir])

    assert.match(out, /^·\[2J {2,}shop\/·\[2J /m)
    assert.match(out, /left so by a crash: ·\[2J\.lock$/m)
    assert.ok(!out.includes('\u001b'))
  })

  it('says of a directory without a readable checkpoint what no start would take', async () => {
    const file = path.join(dir, 'checkpoint')
    await truncate(file, 20)

    const { code, out } = await run(['log', 'verify', dir])

    assert.equal(code, 1)
    assert.equal(
      out,
      `${dir}: nothing can be said of what is in it

What was acknowledged may be missing:
  ${file}:0: its checksum is another
  A start is refused: do what stands here, restore the directory from a backup, or move it away and begin anew.
`,
    )
  })

  it('has JSON for programs', async () => {
    const { out } = await run(['log', 'verify', dir, '-o', 'json'])

    const { logs, problems, values } = JSON.parse(out)
    assert.deepEqual([problems, values], [[], 1])
    assert.deepEqual(logs[0].cursors[0], {
      resource: 'eventing.knative.dev/Trigger/shop/mail',
      id: 'c-1',
      floor: 0,
      next: 0,
      unsettled: 0,
      behind: 2,
    })
    assert.deepEqual(logs[0].last, { position: 1, arrivedAt: '2026-01-02T03:04:05.678Z' })
  })

  it('says of a folder that is none that it is none', async () => {
    const { code, err } = await run(['log', 'verify', folder])

    assert.equal(code, 1)
    assert.equal(err, `${folder}: this is no data directory: it has no folders journal and backlog\n`)
  })
})
