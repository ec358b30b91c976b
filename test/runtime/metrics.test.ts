import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { anEvent } from '../support/builders.ts'
import { eventually } from '../support/eventually.ts'
import { aTrigger, startTestRuntime } from '../support/runtime.ts'
import { startSubscriber } from '../support/subscriber.ts'

interface Family {
  readonly type: string
  readonly labels: readonly string[]
}

describe('docs/metrics.md', () => {
  it('has every metric of a runtime that has seen events, with its type and labels, and no other', async () => {
    await using subscriber = await startSubscriber()
    await using tidings = await startTestRuntime(aTrigger('t', subscriber.url))
    await tidings.send(anEvent())
    await tidings.send(anEvent({ type: '' }))
    await eventually(async () => (await tidings.trigger('t')).delivered === 1, 'delivered')

    const { text } = await tidings.runtime.metrics.scrape()

    assert.deepEqual(documented(readFileSync('docs/metrics.md', 'utf8')), scraped(text))
  })

  it('says for every metric what it means and what to do', () => {
    const rows = rowsOf(readFileSync('docs/metrics.md', 'utf8'))

    assert.ok(rows.length > 0)
    assert.deepEqual(
      rows.filter(({ length }, i, all) => length !== 5 || all[i]?.includes('')),
      [],
    )
  })
})

function documented(page: string): Record<string, Family> {
  const rows = rowsOf(page).map(([name = '', type = '', labels = '']) => {
    const names = [...labels.matchAll(/`(\w+)`/g)].map(([, label = '']) => label)
    return [name.replaceAll('`', ''), { type, labels: names.sort() }] as const
  })
  assert.equal(new Set(rows.map(([name]) => name)).size, rows.length, 'no metric stands there twice')
  return sortedByName(rows)
}

function rowsOf(page: string): string[][] {
  const lines = page.split('\n').filter((line) => line.startsWith('| `'))
  return lines.map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  )
}

/** Families that have samples, and the labels of these but for a histogram's `le`. */
function scraped(text: string): Record<string, Family> {
  const families = [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, name = '', type = '']) => {
    const sample = new RegExp(`^${name}(?:_bucket|_sum|_count)?(?:\\{(.*)\\})? \\S+$`, 'gm')
    const samples = [...text.matchAll(sample)]
    assert.ok(samples.length > 0, `${name} has no sample`)
    const labels = samples.flatMap(([, list = '']) => [...list.matchAll(/(\w+)="/g)].map(([, label = '']) => label))
    return [name, { type, labels: [...new Set(labels)].filter((label) => label !== 'le').sort() }] as const
  })
  return sortedByName(families)
}

function sortedByName(families: readonly (readonly [string, Family])[]): Record<string, Family> {
  return Object.fromEntries([...families].sort(([a], [b]) => (a < b ? -1 : 1)))
}
