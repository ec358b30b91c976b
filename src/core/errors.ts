/**
 * What users, log queries and tests rely on: a code is never renamed. The whole list, with meaning and remedy, is in
 * docs/design.md section 9.
 */
export type ErrorCode =
  | 'EVENT_INVALID'
  | 'EVENT_TOO_LARGE'
  | 'LOG_FULL'
  | 'LOG_UNAVAILABLE'
  | 'LOG_GONE'
  | 'LOG_LOST'
  | 'LOG_CONFLICT'
  | 'LOG_CORRUPT'
  | 'LANE_LOST'
  | 'POSITION_GONE'
  | 'AUTH_FAILED'
  | 'DELIVERY_REJECTED'
  | 'MANIFEST_INVALID'
  | 'SETTING_INVALID'

/** The one error class: callers branch on `code` and `retryable`, never on the text. */
export class EventingError extends Error {
  override readonly name = 'EventingError'
  readonly code: ErrorCode
  /** True when the same call may succeed later without anyone changing anything. */
  readonly retryable: boolean

  constructor(code: ErrorCode, message: string, options: { retryable?: boolean; cause?: unknown } = {}) {
    super(message, { cause: options.cause })
    this.code = code
    this.retryable = options.retryable ?? false
  }
}

/** The error's code, or undefined when it is not one of ours. */
export function codeOf(error: unknown): ErrorCode | undefined {
  return error instanceof EventingError ? error.code : undefined
}
