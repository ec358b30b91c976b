import assert from 'node:assert/strict'
import { type FetchedMessage, recordsOf } from '../../../../src/channel/backends/kafka/records.ts'
import { createRegistry } from '../../../../src/channel/backends/kafka/registry.ts'
import type { Wire } from '../../../../src/channel/backends/kafka/wire.ts'

describe('whose topics are', () => {
  it('is known of all others where one record is not ours', async () => {
    const texts: readonly (readonly [string, string])[] = [
      ['claim/a/1', '{"isExternal":false}'],
      ['claim/b/2', 'not JSON'],
      ['claim/c/3', '{"isExternal":false}'],
    ]
    const messages = texts.map(
      ([key, value], offset): FetchedMessage => ({
        offset,
        timestamp: 0,
        key: Buffer.from(key),
        value: Buffer.from(value),
        headers: {},
      }),
    )
    const fetch = async () => ({ records: recordsOf(messages), start: 0, end: messages.length })
    const registry = createRegistry({ fetch } as unknown as Wire, 'registry')

    await assert.rejects(registry.isClaimed('c'))

    assert.deepEqual([await registry.isClaimed('a'), await registry.isClaimed('c')], [true, true])
  })
})
