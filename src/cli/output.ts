import type { Writable } from 'node:stream'
import type { Io } from './command.ts'

/**
 * Printing to a stream whose reader may be slow or go away. Once it is gone, nothing more is printed and `onGone` is told
 * why, once; what is offered then counts as printed, as nobody will ever read it.
 */
export function createOutput(stream: Writable, onGone: (reason: string) => void): Pick<Io, 'out' | 'offer'> {
  let isGone = false
  stream.on('error', (error) => {
    if (isGone) return
    isGone = true
    onGone(error.message)
  })

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
  }
}
