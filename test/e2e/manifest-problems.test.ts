import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { RuntimeStatus } from '../../src/runtime/status.ts'
import { eventually } from '../support/eventually.ts'
import { runProgram, startServerProgram } from '../support/program.ts'
import { aTrigger } from '../support/runtime.ts'

describe('a save that is broken', function () {
  this.timeout(30_000)

  it('is shown by status and counted until it is mended; what was applied before stays', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'tidings-'))
    const file = path.join(folder, 'a.yaml')
    await writeFile(file, aTrigger('a', 'http://127.0.0.1:9'))
    await using server = await startServerProgram(['-f', folder])
    const problems = async (): Promise<readonly string[]> => {
      const answer = await fetch(`${server.adminUrl}/tidings/v1/status`)
      return ((await answer.json()) as RuntimeStatus).problems
    }

    await writeFile(file, aTrigger('a', 'http://127.0.0.1:9').replace('broker: default', 'brokr: default'))
    await eventually(async () => (await problems()).length > 0, 'it is told')
    const { code, out } = await runProgram(['status', '--server', server.adminUrl])
    const metrics = await (await fetch(`${server.adminUrl}/metrics`)).text()
    await writeFile(file, aTrigger('a', 'http://127.0.0.1:9'))
    await eventually(async () => (await problems()).length === 0, 'it is mended')
    await rm(folder, { recursive: true })

    assert.equal(code, 1)
    assert.match(out, new RegExp(`^  manifest ${file}:7:3 spec\\.brokr: .*$`, 'm'))
    assert.match(out, /^default\/a +True /m)
    assert.match(metrics, /^tidings_manifest_problems [1-9]/m)
  })
})
