// A destination's URL, taken apart once for the client, and the form of it that people may see.
import type { Target } from '../core/destination.ts'

export interface Address {
  readonly kind: 'address'
  readonly origin: string
  /** Path and query. */
  readonly path: string
  readonly caCerts: string | undefined
  /** Equal for addresses that may share connections. Made once, because it holds the certificates. */
  readonly poolKey: string
  /** What the URL itself asks to be sent: its user and password, as basic authentication. */
  readonly headers: readonly string[]
}

/** A destination that nothing can be sent to, with the reason for people. */
export interface Unreachable {
  readonly kind: 'unreachable'
  readonly reason: string
}

export function parseAddress({ url, caCerts }: Target): Address | Unreachable {
  const parsed = parseUrl(url)
  if (!parsed) return { kind: 'unreachable', reason: 'not a URL that can be called; expected http://host/path' }
  const { origin } = parsed
  return {
    kind: 'address',
    origin,
    path: parsed.pathname + parsed.search,
    caCerts,
    poolKey: caCerts === undefined ? origin : `${origin} ${caCerts}`,
    headers: authorizationOf(parsed),
  }
}

/** A URL as texts for people may show it: without user, password, query and fragment, which may be secrets. */
export function printableUrl(url: string): string {
  const parsed = parseUrl(url)
  return parsed ? parsed.origin + parsed.pathname : 'a destination that is not a URL'
}

/** The same URL without user and password; all else stays as written. */
export function withoutPassword(url: string): string {
  const parsed = parseUrl(url)
  if (!parsed || (parsed.username === '' && parsed.password === '')) return url
  parsed.username = ''
  parsed.password = ''
  return parsed.href
}

const HTTP_URL = /^https?:\/\//i
const AUTHORITY = /^(?:(?:[a-z][a-z\d+.-]*:)?\/\/)?([^/?#]*)/i

/** Anything that is not http or https is read as `http://<host>/`, as knative/eventing's sender does. */
function parseUrl(text: string): URL | undefined {
  const absolute = HTTP_URL.test(text) ? text : `http://${AUTHORITY.exec(text)?.[1] ?? ''}/`
  return URL.canParse(absolute) ? new URL(absolute) : undefined
}

function authorizationOf({ username, password }: URL): string[] {
  if (username === '' && password === '') return []
  return ['authorization', `Basic ${Buffer.from(`${decoded(username)}:${decoded(password)}`).toString('base64')}`]
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    // A lone `%`: URLs allow it, so it means itself.
    return text
  }
}
