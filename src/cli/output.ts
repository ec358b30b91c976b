import type { Writable } from 'node:stream'
import type { Io } from './command.ts'

/**
 * Printing to a stream whose reader may be slow or go away. Once it is gone, nothing more is printed and `onGone` is told
 * why, once, unless whoever prints asks; what is offered then counts as printed, as nobody will ever read it.
 */
export function createOutput(stream: Writable, onGone: (reason: string) => void): Pick<Io, 'out' | 'offer' | 'print'> {
  let isGone = false
  let isAsked = false
  stream.on('error', (error) => {
    if (isGone) return
    isGone = true
    if (!isAsked) onGone(error.message)
  })

  function taken(): Promise<void> {
    return new Promise((resolve) => {
      const events = ['drain', 'error', 'close']
      const done = (): void => {
        for (const event of events) stream.off(event, done)
        resolve()
      }
      for (const event of events) stream.on(event, done)
    })
  }

  function out(text: string): void {
    if (!isGone) stream.write(text)
  }

  return {
    out,
    offer(text) {
      if (!isGone && stream.writableNeedDrain) return false
      out(text)
      return true
    },
    async print(text) {
      isAsked = true
      out(text)
      // A write that failed says so after the turn.
      if (!isGone && stream.writableNeedDrain) await taken()
      else await new Promise(setImmediate)
      return !isGone
    },
  }
}
