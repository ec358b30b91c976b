import { readFile } from 'node:fs/promises'
import type { Command } from './command.ts'

export const version: Command = {
  usage: 'tidings version\n\nPrints the version of this program.\n',
  options: {},
  async run(_args, io) {
    const { version: number }: { version: string } = JSON.parse(
      await readFile(new URL('../../package.json', import.meta.url), 'utf8'),
    )
    io.out(`tidings ${number}\n`)
    return 0
  },
}
