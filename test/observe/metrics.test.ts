import assert from 'node:assert/strict'
import { Histogram } from '../../src/observe/histogram.ts'
import { createMetrics } from '../../src/observe/metrics.ts'

describe('metrics', () => {
  it('shows counters as they are when scraped', async () => {
    const metrics = createMetrics()
    let count = 1
    metrics.counter({ name: 'tidings_x_total', help: 'X.' }, () => [{ labels: { broker: 'a"b' }, value: count }])
    count = 7

    const { text } = await metrics.scrape()

    assert.equal(text, '# HELP tidings_x_total X.\n# TYPE tidings_x_total counter\ntidings_x_total{broker="a\\"b"} 7\n')
  })

  it('shows a histogram with cumulative buckets', async () => {
    const metrics = createMetrics()
    const histogram = new Histogram()
    for (const ms of [1, 5, 6, 20_000]) histogram.observe(ms)
    metrics.histogram({ name: 'h_seconds', help: 'H.' }, () => [{ labels: { t: 'a' }, histogram }])

    const { text } = await metrics.scrape()

    assert.match(text, /^h_seconds_bucket\{t="a",le="0.005"\} 2$/m)
    assert.match(text, /^h_seconds_bucket\{t="a",le="0.01"\} 3$/m)
    assert.match(text, /^h_seconds_bucket\{t="a",le="10"\} 3$/m)
    assert.match(text, /^h_seconds_bucket\{t="a",le="\+Inf"\} 4$/m)
    assert.match(text, /^h_seconds_sum\{t="a"\} 20.012$/m)
    assert.match(text, /^h_seconds_count\{t="a"\} 4$/m)
  })

  it('lets the event loop turn while ten thousand samples are taken', async () => {
    const metrics = createMetrics()
    metrics.gauge({ name: 'g', help: 'G.' }, () =>
      Array.from({ length: 10_000 }, (_, i) => ({ labels: { i: String(i) }, value: i })),
    )
    let turns = 0
    let scraping = true
    const count = (): void => {
      turns++
      if (scraping) setImmediate(count)
    }
    setImmediate(count)

    await metrics.scrape()
    scraping = false

    assert.ok(turns >= 20, `${turns} turns`)
  })
})
