import assert from 'node:assert/strict'
import { UsageError } from '../../src/cli/command.ts'
import { listenInWords } from '../../src/cli/listen-words.ts'

const ADDRESS = { host: '203.0.113.9', port: 80 }
const FLAGS = { portFlag: '--port', hostFlag: '--data.host' }
const OTHER_HOST = 'choose another with --data.host, such as 127.0.0.1 or 0.0.0.0'

const failing = (code: string) => () => Promise.reject(Object.assign(new Error(`listen ${code}`), { code }))

describe('an address that cannot be had', () => {
  const cases: readonly (readonly [code: string, words: string])[] = [
    ['EADDRINUSE', 'port 80 is taken: stop what listens there, or choose another with --port'],
    ['EACCES', 'port 80 is not for this user: choose one above 1023 with --port'],
    ['EADDRNOTAVAIL', `203.0.113.9 is no address of this machine: ${OTHER_HOST}`],
    ['ENOTFOUND', `203.0.113.9 is no address that can be listened at: ${OTHER_HOST}`],
    ['EAI_AGAIN', `203.0.113.9 is no address that can be listened at: ${OTHER_HOST}`],
    ['EINVAL', `203.0.113.9 is no address that can be listened at: ${OTHER_HOST}`],
  ]
  for (const [code, words] of cases) {
    it(`is told in words for ${code}`, async () => {
      await assert.rejects(listenInWords(ADDRESS, FLAGS, failing(code)), new UsageError(words))
    })
  }

  it('names no flag where the host is not chosen', async () => {
    const start = listenInWords(ADDRESS, { portFlag: '--port' }, failing('EADDRNOTAVAIL'))

    await assert.rejects(start, new UsageError('203.0.113.9 is no address of this machine'))
  })

  it('is left as it is when we know no words for it', async () => {
    await assert.rejects(listenInWords(ADDRESS, FLAGS, failing('EIO')), { message: 'listen EIO', code: 'EIO' })
  })
})
