// Uids as RFC 9562 version 7: they begin with when they were given out, and so say how old what has them is, over restarts
// too.
import { createHash, randomUUID } from 'node:crypto'

export function newUid(nowMs: number): string {
  const time = nowMs.toString(16).padStart(12, '0').slice(-12)
  const random = randomUUID().slice('xxxxxxxx-xxxx-4'.length)
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random}`
}

/** The same for the same key in all processes of an installation, as RFC 9562 version 8: it does not say how old it is. */
export function sharedUid(installation: string, key: string): string {
  const hex = createHash('sha256').update(`${installation}\0${key}`).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

/** Epoch ms of when it was given out; undefined for a uid of another kind. */
export function createdAtOf(uid: string): number | undefined {
  const [, high, low] = /^([0-9a-f]{8})-([0-9a-f]{4})-7/.exec(uid) ?? []
  return high === undefined || low === undefined ? undefined : Number.parseInt(high + low, 16)
}
