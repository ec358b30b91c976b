import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  applyFindings,
  type Condition,
  conditionOf,
  type Finding,
  startConditions,
} from '../../src/resource/conditions.ts'

const set = { dependents: ['Addressable', 'SinkResolved'] }
const START_MS = Date.UTC(2024, 0, 1)
const started = startConditions(set, START_MS)
const ready = (conditions: readonly Condition[]) => conditionOf(conditions, 'Ready')
/** Applies one finding after another, a second apart. */
const conditionsAfter = (...findings: readonly Finding[]) =>
  findings.reduce(
    (conditions, finding, i) => applyFindings(set, conditions, [finding], START_MS + 1_000 * (i + 1)),
    started,
  )

describe('conditions', () => {
  it('start Unknown, sorted by type', () => {
    const lastTransitionTime = '2024-01-01T00:00:00.000Z'

    assert.deepEqual(started, [
      { type: 'Addressable', status: 'Unknown', lastTransitionTime },
      { type: 'Ready', status: 'Unknown', lastTransitionTime },
      { type: 'SinkResolved', status: 'Unknown', lastTransitionTime },
    ])
  })

  it('are Ready without a reason once every dependent is True', () => {
    const conditions = conditionsAfter(
      { type: 'Addressable', status: 'False', reason: 'NoUrl', message: 'no URL yet' },
      { type: 'Addressable', status: 'True' },
      { type: 'SinkResolved', status: 'True', reason: 'NotConfigured' },
    )

    assert.deepEqual(ready(conditions), {
      type: 'Ready',
      status: 'True',
      lastTransitionTime: '2024-01-01T00:00:03.000Z',
    })
  })

  it('are not Ready while one dependent is Unknown', () => {
    assert.equal(ready(conditionsAfter({ type: 'Addressable', status: 'True' }))?.status, 'Unknown')
  })

  it('tell in Ready why a dependent is False', () => {
    const conditions = conditionsAfter({ type: 'Addressable', status: 'False', reason: 'NoUrl', message: 'no URL yet' })

    assert.deepEqual(ready(conditions), {
      type: 'Ready',
      status: 'False',
      lastTransitionTime: '2024-01-01T00:00:01.000Z',
      reason: 'NoUrl',
      message: 'no URL yet',
    })
  })

  it('let False win over an Unknown that came later', () => {
    const conditions = conditionsAfter(
      { type: 'Addressable', status: 'False', reason: 'NoUrl' },
      { type: 'SinkResolved', status: 'Unknown', reason: 'Resolving' },
    )

    assert.equal(ready(conditions)?.reason, 'NoUrl')
  })

  it('let Unknown win over True, with its reason', () => {
    const conditions = conditionsAfter(
      { type: 'Addressable', status: 'True' },
      { type: 'SinkResolved', status: 'Unknown', reason: 'Resolving' },
    )

    assert.equal(ready(conditions)?.status, 'Unknown')
    assert.equal(ready(conditions)?.reason, 'Resolving')
  })

  it('show the failure that changed last, whatever its place in the set', () => {
    const addressable: Finding = { type: 'Addressable', status: 'False', reason: 'NoUrl' }
    const sink: Finding = { type: 'SinkResolved', status: 'False', reason: 'NoSink' }

    assert.equal(ready(conditionsAfter(addressable, sink))?.reason, 'NoSink')
    assert.equal(ready(conditionsAfter(sink, addressable))?.reason, 'NoUrl')
  })

  it('do not depend on conditions outside the set, which are marked Info', () => {
    const conditions = conditionsAfter(
      { type: 'Addressable', status: 'True' },
      { type: 'SinkResolved', status: 'True' },
      { type: 'Deprecated', status: 'False', reason: 'Old' },
    )

    assert.equal(ready(conditions)?.status, 'True')
    assert.equal(conditionOf(conditions, 'Deprecated')?.severity, 'Info')
    assert.equal(conditionOf(conditions, 'Addressable')?.severity, undefined)
  })

  const base: Finding = { type: 'Addressable', status: 'False', reason: 'NoUrl', message: 'no URL yet' }
  const changes: readonly { readonly what: string; readonly next: Finding }[] = [
    { what: 'status', next: { ...base, status: 'Unknown' } },
    { what: 'reason', next: { ...base, reason: 'NoHost' } },
    { what: 'message', next: { ...base, message: 'still no URL' } },
    { what: 'absence of a reason', next: { type: 'Addressable', status: 'False', message: 'no URL yet' } },
  ]
  for (const { what, next } of changes) {
    it(`get a new time when the ${what} changes`, () => {
      assert.equal(
        conditionOf(conditionsAfter(base, next), 'Addressable')?.lastTransitionTime,
        '2024-01-01T00:00:02.000Z',
      )
    })
  }

  it('get a new time when the severity changes', () => {
    const informing = conditionsAfter({ type: 'Extra', status: 'True' })
    const grown = { dependents: [...set.dependents, 'Extra'] }

    const conditions = applyFindings(grown, informing, [{ type: 'Extra', status: 'True' }], START_MS + 5_000)

    assert.equal(conditionOf(conditions, 'Extra')?.severity, undefined)
    assert.equal(conditionOf(conditions, 'Extra')?.lastTransitionTime, '2024-01-01T00:00:05.000Z')
  })

  it('come back as the same array when nothing changed', () => {
    const conditions = conditionsAfter(base)

    assert.equal(applyFindings(set, conditions, [base], START_MS + 9_000), conditions)
  })

  it('are Ready exactly when every dependent is True, after any findings', () => {
    const finding = fc.record({
      type: fc.constantFrom('Addressable', 'SinkResolved', 'Extra'),
      status: fc.constantFrom<Condition['status']>('True', 'False', 'Unknown'),
    })

    fc.assert(
      fc.property(fc.array(finding), (findings) => {
        const conditions = conditionsAfter(...findings)
        const statuses = set.dependents.map((type) => conditionOf(conditions, type)?.status)

        assert.equal(
          ready(conditions)?.status === 'True',
          statuses.every((status) => status === 'True'),
        )
        assert.equal(ready(conditions)?.status === 'False', statuses.includes('False'))
      }),
    )
  })
})
