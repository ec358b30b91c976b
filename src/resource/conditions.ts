// How a resource's conditions follow from what was found, and Ready from the conditions (knative.dev/pkg
// apis/condition_set.go). Pure: whoever reconciles says what changed and stores what comes back.

export interface Condition {
  readonly type: string
  readonly status: 'True' | 'False' | 'Unknown'
  /** Set on conditions that Ready does not depend on. */
  readonly severity?: 'Info'
  /** RFC 3339 in UTC, with milliseconds: of two failures the later must be known. */
  readonly lastTransitionTime: string
  /** One word, for programs. */
  readonly reason?: string
  /** For people. */
  readonly message?: string
}

/** What a reconciler found out about one condition. */
export type Finding = Pick<Condition, 'type' | 'status' | 'reason' | 'message'>

export interface ConditionSet {
  /** What Ready is made of. Every other condition informs only. */
  readonly dependents: readonly string[]
}

const READY = 'Ready'

/** A new resource's conditions: Ready and its dependents, all Unknown. */
export function startConditions(set: ConditionSet, nowMs: number): readonly Condition[] {
  return applyFindings(
    set,
    [],
    set.dependents.map((type) => ({ type, status: 'Unknown' })),
    nowMs,
  )
}

/**
 * The conditions after `findings`, sorted by type, Ready worked out anew. What did not change keeps its time, and when
 * nothing changed the very same array comes back, so that nobody need write it.
 */
export function applyFindings(
  set: ConditionSet,
  before: readonly Condition[],
  findings: readonly Finding[],
  nowMs: number,
): readonly Condition[] {
  const now = new Date(nowMs).toISOString()
  const byType = new Map(before.map((condition) => [condition.type, condition]))
  for (const finding of findings) update(set, byType, finding, now)
  update(set, byType, readiness(set, byType), now)
  const after = [...byType.values()].sort((a, b) => (a.type < b.type ? -1 : 1))
  const isSame = after.length === before.length && after.every((condition, i) => condition === before[i])
  return isSame ? before : after
}

/** The condition of that type, if the resource has it. */
export function conditionOf(conditions: readonly Condition[], type: string): Condition | undefined {
  return conditions.find((condition) => condition.type === type)
}

function update(set: ConditionSet, byType: Map<string, Condition>, finding: Finding, now: string): void {
  const { type, status, reason, message } = finding
  const isInfo = type !== READY && !set.dependents.includes(type)
  const next: Condition = {
    type,
    status,
    ...(isInfo && { severity: 'Info' }),
    lastTransitionTime: now,
    ...(reason !== undefined && { reason }),
    ...(message !== undefined && { message }),
  }
  const current = byType.get(type)
  if (!current || differ(current, next)) byType.set(type, next)
}

function differ(a: Condition, b: Condition): boolean {
  return a.status !== b.status || a.severity !== b.severity || a.reason !== b.reason || a.message !== b.message
}

/** False wins over Unknown, Unknown over True; of several the one that changed last tells why. */
function readiness(set: ConditionSet, byType: ReadonlyMap<string, Condition>): Finding {
  const dependents = set.dependents.map((type): Dependent => byType.get(type) ?? { type, status: 'Unknown' })
  const unhappy = latest(dependents, 'False') ?? latest(dependents, 'Unknown')
  if (!unhappy) return { type: READY, status: 'True' }
  const { status, reason, message } = unhappy
  return { type: READY, status, ...(reason !== undefined && { reason }), ...(message !== undefined && { message }) }
}

type Dependent = Finding & Partial<Pick<Condition, 'lastTransitionTime'>>

/** Of those that changed at the same time the first in the set, so that the choice stays the same. */
function latest(dependents: readonly Dependent[], status: Condition['status']): Dependent | undefined {
  const [first, ...others] = dependents.filter((condition) => condition.status === status)
  return first && others.reduce((last, condition) => (changedAt(condition) > changedAt(last) ? condition : last), first)
}

function changedAt({ lastTransitionTime }: Dependent): number {
  return lastTransitionTime === undefined ? 0 : Date.parse(lastTransitionTime)
}
