// What the suite is told about a backend, and the one way a case is left out: with its reason in the report.
import type { LogStore, LogTraits } from '../../src/channel/log.ts'
import type { Clock } from '../../src/core/clock.ts'
import { isLong, longMark } from '../support/long.ts'

export interface Backend {
  readonly traits: LogTraits
  /** An empty store, or a share of one in which the uids of earlier tests are of no concern. In real time unless told. */
  open(clock?: Clock): Promise<LogStore>
  /** Opens again what a store left behind that was closed, or whose process was killed. Absent where nothing is left. */
  readonly reopen?: (store: LogStore, after: 'close' | 'kill') => Promise<LogStore>
}

/** What a case asks of a backend or of the run. */
export type Need = 'durable' | 'files' | 'server' | 'redis' | 'kafka' | 'shared' | 'alone' | 'long'

const REASON_AGAINST: { readonly [need in Need]: (backend: Backend) => string | undefined } = {
  durable: ({ traits }) =>
    traits.survives === 'nothing' ? 'an append survives nothing, so nothing can resume' : undefined,
  files: ({ traits }) => (traits.backend === 'disk' ? undefined : 'it writes no files'),
  server: ({ traits }) => (isServed(traits) ? undefined : 'there is no server that could go away'),
  redis: ({ traits }) => (traits.backend === 'redis' ? undefined : 'about Redis alone'),
  kafka: ({ traits }) => (traits.backend === 'kafka' ? undefined : 'about Kafka alone'),
  shared: ({ traits }) => (traits.shared ? undefined : 'one process owns the store, so no other can take a lane'),
  alone: ({ traits }) => (traits.shared ? 'another process may know whose a cursor is' : undefined),
  long: () => (isLong ? undefined : 'the long form runs with npm run test:long'),
}

function isServed(traits: LogTraits): boolean {
  return traits.backend === 'redis' || traits.backend === 'kafka'
}

/** Why this backend, or this run, cannot be asked for it; undefined when it can. */
export function reasonAgainst(need: Need, backend: Backend): string | undefined {
  const reason = REASON_AGAINST[need](backend)
  return reason === undefined ? undefined : `${backend.traits.backend}: ${reason}`
}

/** `it`, or a pending test whose title ends with the reason why it does not run here. */
export function itWith(backend: Backend, ...needs: readonly Need[]): (title: string, body: Mocha.AsyncFunc) => void {
  const reasons = needs.flatMap((need) => reasonAgainst(need, backend) ?? [])
  const mark = needs.includes('long') ? longMark : ''
  if (reasons.length === 0) return (title, body) => void it(title + mark, body)
  return (title) => void it.skip(`${title} [skipped: ${reasons.join('; ')}]`)
}
