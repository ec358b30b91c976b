// Deliveries to addresses of this process (a Broker behind a Trigger or as a dead letter sink, the display) without a hop
// over HTTP: they need no port, so they go on while the port refuses everybody else at the end.
import type { Target } from '../core/destination.ts'
import type { Answer, Client, Post } from '../http/client.ts'
import type { Answer as DataAnswer, DataRequest } from '../http/server.ts'

export interface LocalClientOptions {
  /** For all other destinations. */
  readonly remote: Client
  /** Where the data port is reached, without a slash at the end. */
  readonly bases: readonly string[]
  /** Whether something of ours is at this path of the data port now. */
  readonly serves: (path: string) => boolean
  readonly handle: (request: DataRequest) => DataAnswer | Promise<DataAnswer>
  /** Told of what should not happen: the attempt then has no answer. */
  readonly onError: (error: unknown) => void
}

const NO_BYTES = Buffer.alloc(0)

/**
 * A client whose posts to our own addresses call `handle`. Such an attempt takes as long as storing the event does, which
 * its log bounds: `timeoutMs` is not looked at, and a signal only before it begins.
 */
export function createLocalClient({ remote, bases, serves, handle, onError }: LocalClientOptions): Client {
  const paths = new WeakMap<Target, string>()
  let isClosed = false

  /** Empty for a destination that is not ours now. */
  function pathOf(target: Target): string {
    let path = paths.get(target)
    if (path === undefined) {
      path = pathBelow(target.url, bases) ?? ''
      paths.set(target, path)
    }
    return path === '' || serves(path) ? path : ''
  }

  async function answerHere(post: Post, path: string): Promise<Answer> {
    if (isClosed) return { kind: 'none', reason: 'the client is closed' }
    try {
      const { headers, body } = post.content()
      const request: DataRequest = { method: 'POST', path, host: '', rawHeaders: headers, body: body ?? NO_BYTES }
      const { status, text } = await handle(request)
      return { kind: 'answer', status, rawHeaders: [], body: text === undefined ? NO_BYTES : Buffer.from(text) }
    } catch (error) {
      onError(error)
      return { kind: 'none', reason: 'it failed here: the log says why' }
    }
  }

  return {
    post(post) {
      const path = pathOf(post.target)
      if (path === '' || post.signal.aborted) remote.post(post)
      else void answerHere(post, path).then((answer) => post.answered(answer))
    },
    close() {
      isClosed = true
      return remote.close()
    },
  }
}

/** The path of an address at the data port; undefined for an address elsewhere. */
function pathBelow(url: string, bases: readonly string[]): string | undefined {
  const address = plainAddress(url)
  const base = bases.map(plainAddress).find((each) => address.startsWith(`${each}/`))
  return base && address.slice(base.length)
}

/** One text for all ways to write the same address. Users and passwords are not looked at: the data port ignores them. */
function plainAddress(url: string): string {
  if (!URL.canParse(url)) return url
  const { origin, pathname } = new URL(url)
  return origin + pathname.replace(/\/$/, '')
}
