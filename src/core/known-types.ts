// The types of events that Knative's sources send, and whether a type that a Trigger waits for looks like a slip: nothing
// sends it, and something very like it is sent. A guess, for hints only.

/** Webhook events of GitHub: those that upstream's adapter knows, then those that it passes by. */
const GITHUB_EVENTS = `check_run check_suite commit_comment create delete deployment deployment_status fork gollum installation
  installation_repositories integration_installation integration_installation_repositories issue_comment issues label
  member membership milestone org_block organization page_build ping project project_card project_column public
  pull_request pull_request_review pull_request_review_comment push release repository repository_vulnerability_alert
  security_advisory status team team_add watch
  branch_protection_configuration branch_protection_rule code_scanning_alert content_reference custom_property
  custom_property_values dependabot_alert deploy_key deployment_protection_rule deployment_review discussion
  discussion_comment github_app_authorization installation_target marketplace_purchase merge_group meta package
  projects_v2 projects_v2_item projects_v2_status_update pull_request_review_thread registry_package
  repository_advisory repository_dispatch repository_import repository_ruleset secret_scanning_alert
  secret_scanning_alert_location security_and_analysis sponsorship star workflow_dispatch workflow_job workflow_run`

/** By prefix: producers whose types are all known. */
const PRODUCERS: readonly { readonly prefix: string; readonly types: readonly string[] }[] = [
  producer('dev.knative.source.github.', GITHUB_EVENTS),
  producer('dev.knative.apiserver.', 'ref.add ref.update ref.delete resource.add resource.update resource.delete'),
  producer('dev.knative.eventing.', 'timer aws-s3 aws-sqs aws-ddb-streams'),
  producer('dev.knative.kafka.', 'event'),
  producer('dev.knative.cronjob.', 'event'),
]
/** Below `dev.knative.sources.` there are sources of others, too. */
const KNOWN: ReadonlySet<string> = new Set([
  'dev.knative.sources.ping',
  'dev.knative.sources.redisstream',
  ...PRODUCERS.flatMap(({ types }) => types),
])

/** What is longer is compared with nothing. */
const LONGEST_COMPARED = 256
/** Of the types that were seen lately. */
const MOST_COMPARED = 100
const MOST_EDITS = 2
const DOT = 0x2e
/** A text must be this many times as long as the edits it is away, else any short name is near any other. */
const CHARACTERS_AN_EDIT = 4

/**
 * The type that was probably meant, when `type` is none that is known or was seen lately, and either begins as those of a
 * known producer do, or is one segment (between dots) or two edits away from one of them. Undefined when nothing is odd.
 */
export function implausible(type: string, recentTypes: Iterable<string>): { readonly nearest: string } | undefined {
  if (type === '' || type.length > LONGEST_COMPARED || KNOWN.has(type)) return undefined
  const recent: string[] = []
  for (const each of recentTypes) {
    if (each === type) return undefined
    if (recent.length < MOST_COMPARED) recent.push(each)
  }
  const producer = PRODUCERS.find(({ prefix }) => type.startsWith(prefix))
  const nearest =
    nearestOf(producer?.types ?? [...KNOWN, ...recent], (each) => stepsBetween(type, each)) ??
    nearestOf(producer?.types ?? [], (each) => editsBetween(type, each, LONGEST_COMPARED))
  return nearest === undefined ? undefined : { nearest }
}

/** Whether one may be a slip of the other: one segment or two edits away, and not the same. */
export function isLike(type: string, other: string): boolean {
  return type.length <= LONGEST_COMPARED && stepsBetween(type, other) < Number.POSITIVE_INFINITY
}

function producer(prefix: string, tails: string): { readonly prefix: string; readonly types: readonly string[] } {
  return { prefix, types: tails.split(/\s+/).map((tail) => prefix + tail) }
}

/** The first of those that are the fewest steps away; none that is Infinity. */
function nearestOf(types: Iterable<string>, stepsTo: (type: string) => number): string | undefined {
  let nearest: string | undefined
  let fewest = Number.POSITIVE_INFINITY
  for (const type of types) {
    const steps = stepsTo(type)
    if (steps >= fewest) continue
    fewest = steps
    nearest = type
  }
  return nearest
}

function stepsBetween(type: string, other: string): number {
  const steps = roughStepsBetween(type, other)
  // Versions and numbers are told apart on purpose.
  return steps < Number.POSITIVE_INFINITY && withoutNumbers(type) === withoutNumbers(other)
    ? Number.POSITIVE_INFINITY
    : steps
}

function roughStepsBetween(type: string, other: string): number {
  const mayBeEdited = Math.abs(type.length - other.length) <= MOST_EDITS
  const mayHaveSegment = Math.abs(dotsIn(type) - dotsIn(other)) === 1
  // Nearly all: seen without looking at either closely.
  if (!mayBeEdited && !mayHaveSegment) return Number.POSITIVE_INFINITY
  const mostEdits = Math.min(MOST_EDITS, Math.floor(Math.min(type.length, other.length) / CHARACTERS_AN_EDIT))
  const edits = editsBetween(type, other, mostEdits)
  return edits === Number.POSITIVE_INFINITY && mayHaveSegment && isOneSegmentAway(type, other) ? MOST_EDITS : edits
}

function dotsIn(type: string): number {
  let dots = 0
  for (let i = 0; i < type.length; i++) if (type.charCodeAt(i) === DOT) dots++
  return dots
}

function withoutNumbers(type: string): string {
  return type.replace(/\d+/g, '0')
}

/** Whether one of them has a segment more and they are the same without it. */
function isOneSegmentAway(a: string, b: string): boolean {
  const [left, right] = apartFrom(a, b)
  if (left !== '' && right !== '') return false
  const [shorter = [], longer = []] = [a.split('.'), b.split('.')].sort((x, y) => x.length - y.length)
  if (longer.length !== shorter.length + 1) return false
  const at = shorter.findIndex((segment, i) => segment !== longer[i])
  return at < 0 || shorter.slice(at).every((segment, i) => segment === longer[at + i + 1])
}

/**
 * Characters to add, drop or exchange to get from one to the other; Infinity when they are more than `most`. Looks only at
 * places that are at most so far apart.
 */
function editsBetween(type: string, other: string, most: number): number {
  if (Math.abs(type.length - other.length) > most) return Number.POSITIVE_INFINITY
  const [a, b] = apartFrom(type, other)
  let before = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current: number[] = new Array(b.length + 1).fill(Number.POSITIVE_INFINITY)
    current[0] = row
    for (let column = Math.max(1, row - most); column <= Math.min(b.length, row + most); column++) {
      const exchanged = at(before, column - 1) + (a[row - 1] === b[column - 1] ? 0 : 1)
      current[column] = Math.min(exchanged, at(before, column) + 1, at(current, column - 1) + 1)
    }
    if (current.every((edits) => edits > most)) return Number.POSITIVE_INFINITY
    before = current
  }
  const edits = at(before, b.length)
  return edits <= most ? edits : Number.POSITIVE_INFINITY
}

/** Both without what they begin and end with alike. */
function apartFrom(a: string, b: string): readonly [string, string] {
  const shorter = Math.min(a.length, b.length)
  let start = 0
  while (start < shorter && a.charCodeAt(start) === b.charCodeAt(start)) start++
  let end = 0
  while (end < shorter - start && a.charCodeAt(a.length - 1 - end) === b.charCodeAt(b.length - 1 - end)) end++
  return [a.slice(start, a.length - end), b.slice(start, b.length - end)]
}

function at(numbers: readonly number[], index: number): number {
  return numbers[index] ?? Number.POSITIVE_INFINITY
}
