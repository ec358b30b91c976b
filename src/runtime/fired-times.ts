// Up to which time each source has fired, kept so that a restart knows what was missed while the process was not there.
import type { Values } from '../core/values.ts'
import type { ResourceKey } from '../store/resource-store.ts'

/** The value is a time (epoch ms), the uid and the schedule: it is not for another source, or another schedule of one. */
const FIRED = 'fired/'

export function firedUntil(values: Values, key: ResourceKey, uid: string, schedule: string): number | undefined {
  const [, at, ofUid, ofSchedule] = /^(\d+) (\S+) (.*)$/s.exec(values.get(FIRED + key) ?? '') ?? []
  return ofUid === uid && ofSchedule === schedule ? Number(at) : undefined
}

export function keepFiredUntil(
  values: Values,
  key: ResourceKey,
  { at, uid, schedule }: { readonly at: number; readonly uid: string; readonly schedule: string },
): Promise<void> {
  return values.put(FIRED + key, `${Math.floor(at)} ${uid} ${schedule}`)
}

/** The source is gone: if it comes back, nothing was missed meanwhile. */
export async function forgetFired(values: Values, key: ResourceKey): Promise<void> {
  if (values.get(FIRED + key) !== undefined) await values.delete(FIRED + key)
}
