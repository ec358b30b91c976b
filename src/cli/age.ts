/** Whole numbers of units, the larger first; the second is left out when it is 0. */
const steps: readonly {
  readonly belowS: number
  readonly unitS: number
  readonly unit: string
  readonly rest?: readonly [number, string]
}[] = [
  { belowS: 120, unitS: 1, unit: 's' },
  { belowS: 600, unitS: 60, unit: 'm', rest: [1, 's'] },
  { belowS: 10_800, unitS: 60, unit: 'm' },
  { belowS: 28_800, unitS: 3_600, unit: 'h', rest: [60, 'm'] },
  { belowS: 172_800, unitS: 3_600, unit: 'h' },
  { belowS: 691_200, unitS: 86_400, unit: 'd', rest: [3_600, 'h'] },
  { belowS: Number.POSITIVE_INFINITY, unitS: 86_400, unit: 'd' },
]

/**
 * How long ago an RFC 3339 time was, as kubectl prints it: `5s`, `3m20s`, `2d`.
 * @see k8s.io/apimachinery pkg/util/duration, HumanDuration; years are days here
 */
export function formatAge(time: string, nowMs: number): string {
  const seconds = Math.floor((nowMs - Date.parse(time)) / 1_000)
  // A clock that is a little behind the server's.
  const ageS = seconds === -1 ? 0 : seconds
  const step = steps.find(({ belowS }) => ageS < belowS)
  if (!step || ageS < 0) return '<invalid>'
  const whole = `${Math.floor(ageS / step.unitS)}${step.unit}`
  if (!step.rest) return whole
  const [restS, unit] = step.rest
  const rest = Math.floor((ageS % step.unitS) / restS)
  return rest === 0 ? whole : `${whole}${rest}${unit}`
}
