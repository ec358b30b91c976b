import assert from 'node:assert/strict'
import { CASES } from '../filter/cesql/cases.ts'
import { compatibilityCases } from '../filter/cesql/compatibility.ts'
import { anEvent } from '../support/builders.ts'
import { eventually } from '../support/eventually.ts'
import { aTrigger, startTestRuntime } from '../support/runtime.ts'
import { startSubscriber } from '../support/subscriber.ts'

interface Case {
  readonly expression: string
  readonly event: Readonly<Record<string, unknown>>
  readonly passes: boolean
}

const EVENT = { subject: '42', time: '2026-01-02T04:00:00+01:00', empty: '', flag: 'TRUE' }

const own: Case[] = Object.values(CASES).flatMap((cases) =>
  cases.flatMap(([expression, value, error]) =>
    typeof value === 'boolean' ? [{ expression, event: EVENT, passes: value && error === undefined }] : [],
  ),
)
const ofSpecification: Case[] = compatibilityCases().flatMap(({ expression, event, result, error }) =>
  typeof result === 'boolean' && error !== 'parse' ? [{ expression, event, passes: result && error === null }] : [],
)

describe('CESQL in the Triggers of a running Broker', function () {
  this.timeout(60_000)

  for (const [whose, cases] of [
    ['of ours', own],
    ['of the specification', ofSpecification],
  ] as const) {
    const itPasses = cases.length > 0 ? it : it.skip
    const reason = cases.length > 0 ? '' : ' [skipped: their file is not here]'
    itPasses(`passes what it should, in the cases ${whose}${reason}`, async () => {
      await using subscriber = await startSubscriber()
      const manifests = cases.map(({ expression }, i) =>
        aTrigger(
          `t${i}`,
          `${subscriber.url}/${i}`,
          `  filters: [{all: [{exact: {case: "${i}"}}, {cesql: ${JSON.stringify(expression)}}]}]\n`,
        ),
      )
      await using tidings = await startTestRuntime(manifests.join(''))
      for (const [i, { event }] of cases.entries()) {
        const attributes = Object.fromEntries(Object.entries(event).map(([name, value]) => [name, String(value)]))
        const { status, text } = await tidings.send(anEvent({ ...attributes, case: String(i) }))
        assert.equal(status, 202, text)
      }
      await eventually(async () => {
        const { accepted, unmatched, settled } = await tidings.broker()
        return accepted === cases.length && unmatched + settled === accepted
      }, 'all is delivered')

      const passed = new Set(subscriber.requests.map(({ path }) => Number(path.slice(1))))
      const wrong = cases.flatMap(({ expression, passes }, i) => (passed.has(i) === passes ? [] : [expression]))

      assert.deepEqual(wrong, [])
      assert.ok(passed.size > 30 && passed.size < cases.length, `${passed.size} of ${cases.length} pass`)
    })
  }
})
