import type { ListenAddress } from '../http/listen.ts'
import { UsageError } from './command.ts'

export interface ListenFlags {
  readonly portFlag: string
  /** Absent where the host is not the user's choice. */
  readonly hostFlag?: string
}

/** What `start` resolves to. An address that cannot be had becomes a UsageError that says why and what helps. */
export async function listenInWords<T>(
  address: ListenAddress,
  flags: ListenFlags,
  start: () => Promise<T>,
): Promise<T> {
  try {
    return await start()
  } catch (error) {
    const words = wordsFor(error, address, flags)
    throw words === undefined ? error : new UsageError(words)
  }
}

function wordsFor(error: unknown, { host, port }: ListenAddress, { portFlag, hostFlag }: ListenFlags) {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  const otherHost = hostFlag === undefined ? '' : `: choose another with ${hostFlag}, such as 127.0.0.1 or 0.0.0.0`
  switch (code) {
    case 'EADDRINUSE':
      return `port ${port} is taken: stop what listens there, or choose another with ${portFlag}`
    case 'EACCES':
      return `port ${port} is not for this user: choose one above 1023 with ${portFlag}`
    case 'EADDRNOTAVAIL':
      return `${host} is no address of this machine${otherHost}`
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EINVAL':
      return `${host} is no address that can be listened at${otherHost}`
    default:
      return undefined
  }
}
