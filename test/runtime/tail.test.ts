import assert from 'node:assert/strict'
import type { TailFilter, TailLine } from '../../src/runtime/tail.ts'
import { anEvent } from '../support/builders.ts'
import { eventually } from '../support/eventually.ts'
import { aTrigger, startTestRuntime, type TestRuntime } from '../support/runtime.ts'
import { startSubscriber } from '../support/subscriber.ts'

describe('what goes on at a broker', function () {
  this.timeout(20_000)

  function watch({ runtime }: TestRuntime, filter: TailFilter = {}): { lines: string[]; stop: () => void } {
    const lines: string[] = []
    const told = ({ id, outcome, triggers, status }: TailLine): void => {
      lines.push(
        [id, outcome, triggers.join('+'), status].filter((part) => part !== '' && part !== undefined).join(' '),
      )
    }
    const stop = runtime.watch('default', 'default', filter, told)
    assert.ok(stop)
    return { lines, stop }
  }

  it('is each event with those that it matches, and each attempt with what came of it', async () => {
    await using taking = await startSubscriber()
    await using refusing = await startSubscriber({ status: 503 })
    await using tidings = await startTestRuntime(
      aTrigger('a', taking.url, '  filter: {attributes: {type: t.a}}\n') +
        aTrigger('b', refusing.url, '  filter: {attributes: {type: t.a}}\n  delivery: {retry: 0}\n'),
    )
    const all = watch(tidings)
    const narrow = [
      watch(tidings, { type: 't.*' }),
      watch(tidings, { source: '*/x/*' }),
      watch(tidings, { trigger: 'a' }),
      watch(tidings, { outcome: 'unmatched' }),
    ]

    await tidings.send(anEvent({ id: '1', type: 't.a', source: '/s/x/1' }))
    await tidings.send(anEvent({ id: '2', type: 'other', source: '/s' }))
    await eventually(() => all.lines.length === 5, 'all is told')
    all.stop()
    await tidings.send(anEvent({ id: '3' }))

    assert.deepEqual(all.lines.toSorted(), [
      '1 delivered a 202',
      '1 failed b 503',
      '1 kept b',
      '1 matched a+b',
      '2 unmatched',
    ])
    assert.deepEqual(
      narrow.map(({ lines }) => lines.filter((line) => !line.startsWith('3')).toSorted()),
      [
        ['1 delivered a 202', '1 failed b 503', '1 kept b', '1 matched a+b'],
        ['1 delivered a 202', '1 failed b 503', '1 kept b', '1 matched a+b'],
        ['1 delivered a 202', '1 matched a+b'],
        ['2 unmatched'],
      ],
    )
  })

  it('is nothing of a broker that is not there', async () => {
    await using tidings = await startTestRuntime('')

    assert.equal(
      tidings.runtime.watch('default', 'none', {}, () => undefined),
      undefined,
    )
  })
})
