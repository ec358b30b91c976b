import assert from 'node:assert/strict'
import { UsageError } from '../../src/cli/command.ts'
import { openInWords } from '../../src/cli/data-words.ts'
import { type ErrorCode, EventingError } from '../../src/core/errors.ts'

const failing = (code: ErrorCode) => () => Promise.reject(new EventingError(code, 'data: why'))

describe('a data directory that cannot be had', () => {
  it('is told with what helps when another process has it', async () => {
    const words = 'data: why\nStop that process, or give this one a folder of its own: --data-dir DIR'

    await assert.rejects(openInWords(failing('LOG_CONFLICT')), new UsageError(words))
  })

  it('is told with what helps when it cannot be written', async () => {
    const words = 'data: why\nName a folder that can be written: --data-dir DIR; or keep nothing: --ephemeral'

    await assert.rejects(openInWords(failing('LOG_UNAVAILABLE')), new UsageError(words))
  })

  for (const code of ['LOG_CORRUPT', 'LOG_LOST'] as const) {
    it(`is told with what to ask and to do when it is damaged: ${code}`, async () => {
      const words =
        'data: why\nWhat is wrong with it: tidings log verify DIR   Restore a copy, or move it away and begin anew'

      await assert.rejects(openInWords(failing(code)), new UsageError(words))
    })
  }

  it('is told as it is when nobody knows what helps', async () => {
    await assert.rejects(openInWords(failing('LOG_GONE')), { code: 'LOG_GONE', message: 'data: why' })
  })
})
