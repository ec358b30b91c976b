import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { createOutput } from '../../src/cli/output.ts'

/** A stream whose reader takes nothing until told to, and may go away. */
function aReader() {
  const taken: string[] = []
  let next: ((error?: Error) => void) | undefined
  const stream = new Writable({
    highWaterMark: 4,
    decodeStrings: false,
    write(text: string, _encoding, done) {
      taken.push(text)
      next = done
    },
  })
  const drained = () => new Promise((resolve) => stream.once('drain', resolve))
  const gone = () => new Promise((resolve) => stream.once('close', resolve))
  return {
    stream,
    taken,
    /** Takes all there is. */
    async reads() {
      const done = drained()
      while (stream.writableLength > 0) {
        next?.()
        await new Promise(setImmediate)
      }
      await done
    },
    async goesAway() {
      const done = gone()
      next?.(new Error('write EPIPE'))
      await done
    },
  }
}

describe('printing', () => {
  it('takes no more of what comes without end while the reader is behind', async () => {
    const reader = aReader()
    const { offer } = createOutput(reader.stream, () => assert.fail('it is there'))

    const first = offer('first')
    const second = offer('second')
    await reader.reads()
    const third = offer('third')

    assert.deepEqual([first, second, third], [true, false, true])
    assert.deepEqual(reader.taken, ['first', 'third'])
  })

  it('prints what was asked for though the reader is behind', async () => {
    const reader = aReader()
    const { out } = createOutput(reader.stream, () => assert.fail('it is there'))

    out('first')
    out('second')
    await reader.reads()

    assert.deepEqual(reader.taken, ['first', 'second'])
  })

  it('lets who has much to print wait until the reader has taken it', async () => {
    const reader = aReader()
    const { print } = createOutput(reader.stream, () => assert.fail('it is there'))
    let isTaken = false

    const printed = print('first').then((isRead) => {
      isTaken = true
      return isRead
    })
    await new Promise(setImmediate)
    const before = isTaken
    await reader.reads()

    assert.deepEqual([before, await printed], [false, true])
  })

  it('tells who has much to print that the reader went away, and nobody else', async () => {
    const reader = aReader()
    const { print } = createOutput(reader.stream, () => assert.fail('the printer was told'))

    const printed = print('first')
    await reader.goesAway()

    assert.deepEqual([await printed, await print('second')], [false, false])
    assert.deepEqual(reader.taken, ['first'])
  })

  it('ends when the reader goes away, tells of it once, and holds nobody up', async () => {
    const reader = aReader()
    const reasons: string[] = []
    const { out, offer } = createOutput(reader.stream, (reason) => reasons.push(reason))
    out('first')
    await reader.goesAway()

    out('second')
    const third = offer('third')
    reader.stream.emit('error', new Error('again'))

    assert.equal(third, true)
    assert.deepEqual(reader.taken, ['first'])
    assert.deepEqual(reasons, ['write EPIPE'])
  })
})
