// Deliveries to addresses of this process (a Broker behind a Trigger or as a dead letter sink, the display) without a hop
// over HTTP: they need no port, so they go on while the port refuses everybody else at the end.
import type { Target } from '../core/destination.ts'
import type { Answer, Client, Post } from '../http/client.ts'
import type { Answer as DataAnswer, DataRequest } from '../http/server.ts'

export interface LocalClientOptions {
  /** For all other destinations. */
  readonly remote: Client
  /** Our own addresses, without query and slash at the end, and the path that each is at the data port. */
  readonly addresses: ReadonlyMap<string, string>
  readonly handle: (request: DataRequest) => DataAnswer | Promise<DataAnswer>
  /** Told of what should not happen: the attempt then has no answer. */
  readonly onError: (error: unknown) => void
}

const NO_BYTES = Buffer.alloc(0)

/**
 * A client whose posts to our own addresses call `handle`. Such an attempt takes as long as storing the event does, which
 * its log bounds: `timeoutMs` is not looked at, and a signal only before it begins.
 */
export function createLocalClient({ remote, addresses, handle, onError }: LocalClientOptions): Client {
  const paths = new WeakMap<Target, string>()
  let isClosed = false

  /** Empty for a destination that is not ours. */
  function pathOf(target: Target): string {
    let path = paths.get(target)
    if (path === undefined) {
      path = addresses.get(addressOf(target.url)) ?? ''
      paths.set(target, path)
    }
    return path
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

/** Every address that a path has, for `LocalClientOptions.addresses`; `bases` are URLs without a slash at the end. */
export function localAddresses(bases: readonly string[], paths: Iterable<string>): ReadonlyMap<string, string> {
  const addresses = new Map<string, string>()
  for (const path of paths) for (const base of bases) addresses.set(addressOf(base + path), path)
  return addresses
}

/** One text for all ways to write the same address. Users and passwords are not looked at: the data port ignores them. */
function addressOf(url: string): string {
  if (!URL.canParse(url)) return url
  const { origin, pathname } = new URL(url)
  return origin + pathname.replace(/\/$/, '')
}
