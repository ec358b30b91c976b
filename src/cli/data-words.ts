import { codeOf } from '../core/errors.ts'
import { UsageError } from './command.ts'

/** What `open` resolves to. A data directory that cannot be had becomes a UsageError that says why and what helps. */
export async function openInWords<T>(open: () => Promise<T>): Promise<T> {
  try {
    return await open()
  } catch (error) {
    const help = HELP[codeOf(error) ?? '']
    throw help === undefined || !(error instanceof Error) ? error : new UsageError(`${error.message}\n${help}`)
  }
}

const DAMAGED = 'What is wrong with it: tidings log verify DIR   Restore a copy, or move it away and begin anew'
const HELP: Readonly<Record<string, string>> = {
  LOG_CORRUPT: DAMAGED,
  LOG_LOST: DAMAGED,
  LOG_CONFLICT: 'Stop that process, or give this one a folder of its own: --data-dir DIR',
  LOG_UNAVAILABLE: 'Name a folder that can be written: --data-dir DIR; or keep nothing: --ephemeral',
}

/** What `read` resolves to. What the operating system says of a file that cannot be read becomes a UsageError. */
export async function readInWords<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    const isOfSystem = error instanceof Error && 'syscall' in error
    throw isOfSystem ? new UsageError(error.message) : error
  }
}
