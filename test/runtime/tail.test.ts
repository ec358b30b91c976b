import assert from 'node:assert/strict'
import type { TailFilter, TailLine, Watch } from '../../src/runtime/tail.ts'
import { keyOf } from '../../src/store/resource-store.ts'
import { anEvent } from '../support/builders.ts'
import { eventually } from '../support/eventually.ts'
import { aTrigger, startTestRuntime, type TestRuntime } from '../support/runtime.ts'
import { startSubscriber } from '../support/subscriber.ts'

describe('what goes on at a broker', function () {
  this.timeout(20_000)

  function watch({ runtime }: TestRuntime, filter: TailFilter = {}): Watch & { lines: string[] } {
    const lines: string[] = []
    const told = ({ id, outcome, triggers, status }: TailLine): void => {
      lines.push(
        [id, outcome, triggers.join('+'), status].filter((part) => part !== '' && part !== undefined).join(' '),
      )
    }
    const watching = runtime.watch('default', 'default', filter, told)
    assert.ok(watching)
    return { lines, ...watching }
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

  it('has attempts also where none are remembered', async () => {
    await using taking = await startSubscriber()
    await using tidings = await startTestRuntime(aTrigger('a', taking.url), { 'explain.attempts': '0' })
    const all = watch(tidings)

    await tidings.send(anEvent({ id: '1' }))
    await eventually(() => all.lines.length === 2, 'both are told')

    assert.deepEqual(all.lines.toSorted(), ['1 delivered a 202', '1 matched a'])
    assert.deepEqual((await tidings.runtime.why('default', 'default', '1'))?.events[0]?.triggers[0]?.attempts, [])
  })

  it('is nothing of a broker that is not there', async () => {
    await using tidings = await startTestRuntime('')

    assert.equal(
      tidings.runtime.watch('default', 'none', {}, () => undefined),
      undefined,
    )
  })

  it('is over when the broker is deleted, also when another comes with its name', async () => {
    await using tidings = await startTestRuntime('')
    const { resources, settled } = tidings.runtime
    const key = keyOf('eventing.knative.dev/v1', 'Broker', 'default', 'default')
    const broker = resources.get(key)
    assert.ok(broker)
    const watching = watch(tidings)
    assert.equal(watching.isOver(), false)

    resources.delete(key)
    await settled()
    assert.equal(watching.isOver(), true)

    resources.put(broker.resource, 'later')
    await settled()
    assert.equal(watching.isOver(), true)
    assert.equal(watch(tidings).isOver(), false)
  })
})
