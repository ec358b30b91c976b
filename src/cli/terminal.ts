// A screen to draw on, and the keys that are pressed.
import { emitKeypressEvents } from 'node:readline'
import type { ReadStream, WriteStream } from 'node:tty'
import type { Terminal } from './command.ts'

const ENTER = '\u001b[?1049h\u001b[?25l'
const LEAVE = '\u001b[?25h\u001b[?1049l'
const HOME = '\u001b[H'
const REST_OF_LINE = '\u001b[K'
const REST_OF_SCREEN = '\u001b[J'

interface Key {
  readonly name?: string
  readonly ctrl?: boolean
}

/** Undefined where nobody sits: one of the two is a file or a pipe. */
export function openTerminal(input: ReadStream, output: WriteStream): Terminal | undefined {
  if (!input.isTTY || !output.isTTY) return undefined
  const pressed: string[] = []
  let wake: () => void = () => undefined
  let isClosed = false

  function onKey(text: string | undefined, { name, ctrl }: Key): void {
    pressed.push(ctrl ? `ctrl-${name}` : (name ?? text ?? ''))
    wake()
  }

  emitKeypressEvents(input)
  input.setRawMode(true)
  input.on('keypress', onKey)
  input.resume()
  output.write(ENTER)

  function close(): void {
    if (isClosed) return
    isClosed = true
    input.off('keypress', onKey)
    input.setRawMode(false)
    input.pause()
    output.write(LEAVE)
    wake()
  }

  return {
    rows: () => output.rows,
    columns: () => output.columns,
    draw(lines) {
      // A terminal that is behind gets the next picture.
      if (isClosed || output.writableNeedDrain) return
      const shown = lines.slice(0, output.rows).map((line) => [...line].slice(0, output.columns).join(''))
      output.write(`${HOME}${shown.map((line) => line + REST_OF_LINE).join('\r\n')}${REST_OF_SCREEN}`)
    },
    async *keys() {
      while (!isClosed) {
        const key = pressed.shift()
        if (key === 'ctrl-c') return
        if (key !== undefined) yield key
        else {
          await new Promise<void>((resolve) => {
            wake = resolve
          })
        }
      }
    },
    close,
  }
}
