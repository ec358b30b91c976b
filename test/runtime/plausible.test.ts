import assert from 'node:assert/strict'
import { conditionOf } from '../../src/resource/conditions.ts'
import type { Trigger } from '../../src/resource/kinds/trigger.ts'
import { loadManifests } from '../../src/resource/load.ts'
import { literalTypeOf, plausibleFinding } from '../../src/runtime/plausible.ts'
import { keyOf } from '../../src/store/resource-store.ts'
import { anEvent } from '../support/builders.ts'
import { eventually } from '../support/eventually.ts'
import { aTrigger, startTestRuntime, type TestRuntime } from '../support/runtime.ts'
import { startSubscriber } from '../support/subscriber.ts'

const only = (type: string) => `  filter:\n    attributes:\n      type: ${type}\n`

function read(spec: string): Trigger {
  const [loaded] = loadManifests(aTrigger('t', 'http://s', spec), 'a.yaml').resources
  assert.ok(loaded?.resource.kind === 'Trigger')
  return loaded.resource
}

const hintOf = ({ runtime }: TestRuntime, name: string) => {
  const key = keyOf('eventing.knative.dev/v1', 'Trigger', 'default', name)
  return conditionOf(runtime.resources.get(key)?.status?.conditions ?? [], 'FilterPlausible')
}

describe('FilterPlausible', () => {
  const none = { hasMatched: false, recentTypes: [], before: [] }

  it('names what was probably meant', () => {
    const [finding] = plausibleFinding(read(only('dev.knative.github.push')), none)

    assert.deepEqual([finding?.status, finding?.reason], ['Unknown', 'NoKnownProducer'])
    assert.match(finding?.message ?? '', /dev\.knative\.source\.github\.push/)
  })

  it('is not there for a type that nothing is like, a known one, or none', () => {
    for (const spec of [only('com.example.order'), only('dev.knative.source.github.push'), '']) {
      assert.deepEqual(plausibleFinding(read(spec), none), [])
    }
  })

  it('looks at types that were seen lately', () => {
    const [finding] = plausibleFinding(read(only('com.example.ordr.paid')), {
      ...none,
      recentTypes: ['com.example.order.paid'],
    })

    assert.match(finding?.message ?? '', /com\.example\.order\.paid/)
  })

  it('is True once an event has matched, if it was there', () => {
    const trigger = read(only('dev.knative.github.push'))
    const before = [{ type: 'FilterPlausible', status: 'Unknown', lastTransitionTime: '' }] as const

    assert.deepEqual(plausibleFinding(trigger, { ...none, hasMatched: true, before }), [
      { type: 'FilterPlausible', status: 'True' },
    ])
    assert.deepEqual(plausibleFinding(trigger, { ...none, hasMatched: true }), [])
  })

  for (const [spec, type] of [
    [only('a'), 'a'],
    ['  filters:\n    - exact: {type: a}\n', 'a'],
    ['  filters:\n    - prefix: {type: a}\n', undefined],
    ['  filters:\n    - exact: {source: a}\n    - exact: {type: b}\n', 'b'],
    ['  filter:\n    attributes: {source: a}\n', undefined],
    ["  filter:\n    attributes: {type: ''}\n", undefined],
  ] as const) {
    it(`takes ${type} for the type of ${JSON.stringify(spec.trim())}`, () => {
      assert.equal(literalTypeOf(read(spec)), type)
    })
  }

  it('comes with the types that a broker sees, and goes with the first match', async () => {
    await using subscriber = await startSubscriber()
    const manifests = aTrigger('odd', subscriber.url, only('com.example.ordr.paid'))
    await using tidings = await startTestRuntime(manifests)
    assert.equal(hintOf(tidings, 'odd'), undefined)

    await tidings.send(anEvent({ type: 'com.example.order.paid' }))
    await eventually(() => hintOf(tidings, 'odd')?.status === 'Unknown', 'the hint is there')
    await tidings.send(anEvent({ type: 'com.example.ordr.paid' }))
    await eventually(() => hintOf(tidings, 'odd')?.status === 'True', 'the hint is gone')

    assert.equal(hintOf(tidings, 'odd')?.severity, 'Info')
    assert.equal((await tidings.trigger('odd')).ready, 'True')
  })
})

describe('DependencyReady', () => {
  const dependent = aTrigger('t', 'http://127.0.0.1:1/').replace(
    '  name: t\n',
    `  name: t\n  annotations:\n    knative.dev/dependency: '{"apiVersion":"sources.knative.dev/v1","kind":"PingSource","name":"p"}'\n`,
  )
  const ping = `---
apiVersion: sources.knative.dev/v1
kind: PingSource
metadata: {name: p}
spec: {schedule: '0 0 31 2 *', sink: {ref: {apiVersion: v1, kind: Service, name: s}}}
`
  const service = `---
apiVersion: v1
kind: Service
metadata: {name: s}
spec: {type: ExternalName, externalName: 127.0.0.1, ports: [{port: 1}]}
`
  const dependencyOf = ({ runtime }: TestRuntime) =>
    conditionOf(
      runtime.resources.get(keyOf('eventing.knative.dev/v1', 'Trigger', 'default', 't'))?.status?.conditions ?? [],
      'DependencyReady',
    )

  it('follows what the annotation names, and holds up no event', async () => {
    await using tidings = await startTestRuntime(dependent)
    assert.deepEqual(
      [dependencyOf(tidings)?.status, dependencyOf(tidings)?.reason],
      ['False', 'DependencyDoesNotExist'],
    )

    for (const [manifests, status] of [
      [ping, 'False'],
      [service, 'True'],
    ] as const) {
      for (const { resource } of loadManifests(manifests, 'b.yaml').resources)
        tidings.runtime.resources.put(resource, 'b')
      await tidings.runtime.settled()
      assert.equal(dependencyOf(tidings)?.status, status)
    }
  })
})
