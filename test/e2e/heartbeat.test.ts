import assert from 'node:assert/strict'
import { eventually } from '../support/eventually.ts'
import { startServerProgram } from '../support/program.ts'

describe('the quick start', function () {
  this.timeout(30_000)

  it('shows a heartbeat within 15 seconds of its first lines', async () => {
    await using server = await startServerProgram(['-f', 'config/quickstart'])
    const readyAt = performance.now()

    await eventually(() => server.out().includes('"message": "still here"'), 'a heartbeat', 20_000)

    assert.ok(performance.now() - readyAt < 15_000, `${performance.now() - readyAt} ms`)
  })
})
