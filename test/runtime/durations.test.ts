import assert from 'node:assert/strict'
import { Histogram } from '../../src/observe/histogram.ts'
import { createDurations, durationSamples, type Timed } from '../../src/runtime/durations.ts'

const named = (trigger: string, durations: Histogram): Timed => {
  const shared = { namespace: 'shop', broker: 'main' }
  return { durations, labels: { ...shared, trigger }, shared }
}

function counted(): Histogram {
  const histogram = new Histogram()
  histogram.observe(1)
  return histogram
}

function labelsOf(timed: readonly Timed[]) {
  return [...durationSamples(timed)].map(({ labels }) => labels)
}

describe('durations', () => {
  it('are counted for each trigger up to 500 triggers', () => {
    const durationsOf = createDurations(() => 499)

    assert.notEqual(durationsOf('shop/main'), durationsOf('shop/main'))
  })

  it('are counted for each broker above that', () => {
    const durationsOf = createDurations(() => 500)

    assert.equal(durationsOf('shop/main'), durationsOf('shop/main'))
    assert.notEqual(durationsOf('shop/main'), durationsOf('shop/other'))
  })

  it('have the label of their trigger', () => {
    assert.deepEqual(labelsOf([named('a', counted()), named('b', counted())]), [
      { namespace: 'shop', broker: 'main', trigger: 'a' },
      { namespace: 'shop', broker: 'main', trigger: 'b' },
    ])
  })

  it('have the labels of their broker alone, once, where triggers share them', () => {
    const shared = counted()

    assert.deepEqual(labelsOf([named('a', shared), named('b', shared)]), [{ namespace: 'shop', broker: 'main' }])
  })

  it('have no series before the first attempt', () => {
    assert.deepEqual(labelsOf([named('a', new Histogram())]), [])
  })
})
