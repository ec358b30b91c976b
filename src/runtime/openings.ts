// What is opened over a network, without anybody waiting for it: each under a key, tried again until it succeeds, and told
// of whenever something became of it.
import type { Clock, Timer } from '../core/clock.ts'
import { codeOf, EventingError } from '../core/errors.ts'

export type Opening<T> =
  | { readonly kind: 'opening' }
  | { readonly kind: 'open'; readonly value: T }
  /** It is tried again. */
  | { readonly kind: 'failed'; readonly error: unknown }

export interface Openings<T> {
  /**
   * What became of it; begins it where none of this key and id is under way. What is open is handed out once. Another id
   * ends what was under way for the key.
   */
  take(key: string, id: string, open: () => Promise<T>): Opening<T>
  /** Whether one is under way, or was and is not handed out. */
  has(key: string): boolean
  /** What still opens is let go of once it is open. */
  end(key: string): void
  close(): void
}

export interface OpeningsOptions<T> {
  readonly clock: Clock
  readonly onChange: (key: string) => void
  readonly onFailure: (key: string, error: unknown) => void
  /** Of what nobody takes any more. */
  readonly letGo: (value: T) => void
}

const FIRST_RETRY_MS = 500
const LONGEST_RETRY_MS = 30_000
/** Whoever asks again with what was refused is taken for somebody who guesses. */
const AUTH_RETRY_MS = 300_000

interface Attempt<T> {
  readonly id: string
  outcome: Opening<T>
  failures: number
  timer: Timer | undefined
}

export function createOpenings<T>({ clock, onChange, onFailure, letGo }: OpeningsOptions<T>): Openings<T> {
  const attempts = new Map<string, Attempt<T>>()

  async function run(key: string, attempt: Attempt<T>, open: () => Promise<T>): Promise<void> {
    const isWanted = (): boolean => attempts.get(key) === attempt
    try {
      const value = await open()
      if (!isWanted()) return letGo(value)
      attempt.outcome = { kind: 'open', value }
    } catch (error) {
      if (!isWanted()) return
      attempt.outcome = { kind: 'failed', error }
      onFailure(key, error)
      attempt.timer = clock.after(delayMs(error, attempt.failures++), () => void run(key, attempt, open))
    }
    onChange(key)
  }

  function end(key: string): void {
    const attempt = attempts.get(key)
    attempts.delete(key)
    attempt?.timer?.cancel()
    if (attempt?.outcome.kind === 'open') letGo(attempt.outcome.value)
  }

  return {
    take(key, id, open) {
      const known = attempts.get(key)
      if (known?.id === id) {
        if (known.outcome.kind === 'open') attempts.delete(key)
        return known.outcome
      }
      end(key)
      const attempt: Attempt<T> = { id, outcome: { kind: 'opening' }, failures: 0, timer: undefined }
      attempts.set(key, attempt)
      void run(key, attempt, open)
      return attempt.outcome
    },
    has: (key) => attempts.has(key),
    end,
    close() {
      for (const key of [...attempts.keys()]) end(key)
    },
  }
}

/** Not all at the same time: half of it is left to chance. */
function delayMs(error: unknown, failures: number): number {
  if (codeOf(error) === 'AUTH_FAILED') return AUTH_RETRY_MS
  const isFinal = error instanceof EventingError && !error.retryable
  const most = isFinal ? LONGEST_RETRY_MS : Math.min(FIRST_RETRY_MS * 2 ** failures, LONGEST_RETRY_MS)
  return most * (0.5 + Math.random() / 2)
}
