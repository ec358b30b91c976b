import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { startTestAdmin } from '../support/admin.ts'
import { anEvent } from '../support/builders.ts'
import { run } from '../support/command.ts'
import { aTrigger, startTestRuntime } from '../support/runtime.ts'
import { startSubscriber } from '../support/subscriber.ts'

describe('a filter that is tried on what a log has', function () {
  this.timeout(20_000)

  it('is told how many pass, which, and what is other with a trigger', async () => {
    await using subscriber = await startSubscriber()
    await using tidings = await startTestRuntime(
      aTrigger('a', subscriber.url, '  filters: [{prefix: {type: order.}}]\n') + aTrigger('b', subscriber.url),
    )
    for (const [i, type] of ['order.placed', 'order.paid', 'stock.low', 'order.placed'].entries()) {
      await tidings.send(anEvent({ id: String(i), type }))
    }
    await subscriber.received(7)
    const dir = await mkdtemp(path.join(tmpdir(), 'tidings-'))
    const file = path.join(dir, 'f.yaml')
    await writeFile(file, "filters: [{cesql: \"type IN ('order.placed', 'stock.low')\"}]\n")
    await using server = await startTestAdmin(tidings.runtime)
    const test = (...flags: string[]) =>
      run(['filter', 'test', '--filters', file, ...flags], { TIDINGS_SERVER: server.url })

    const alone = await test('--against', 'last:3')
    const beside = await test('--against', 'last:500', '--trigger', 'a')
    const json = await test('--against', 'last:500', '-o', 'json')
    const unknown = await test('--against', 'last:500', '--trigger', 'c')
    const wrong = await test('--against', 'all')
    await rm(dir, { recursive: true })

    const lines = (out: string): string[] =>
      out
        .trim()
        .split('\n')
        .map((line) => line.replace(/\d{4}-\S+/g, 'T'))
    assert.deepEqual(lines(alone.out), [
      '2 of the last 3 events of broker default/default match, T to T',
      '  T  stock.low  /orders  2',
      '  T  order.placed  /orders  3',
    ])
    assert.deepEqual(lines(beside.out), [
      '3 of the last 4 events of broker default/default match, T to T',
      'beside trigger a: 1 more, 1 less',
      '  - T  order.paid  /orders  1',
      '  + T  stock.low  /orders  2',
    ])
    assert.deepEqual([JSON.parse(json.out).asked, JSON.parse(json.out).matched], [4, 3])
    assert.deepEqual([unknown.code, unknown.err], [1, 'broker default/default has no trigger c\n'])
    assert.equal(wrong.err, "--against: expected last:N with N from 1 to 10000, got 'all'\n")
  })
})
