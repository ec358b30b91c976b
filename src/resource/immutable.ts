// What of a resource may not change once it is applied, as upstream's admission has it.
import { isDeepStrictEqual } from 'node:util'
import type { AnyResource } from './known-kinds.ts'
import type { FieldError, Path } from './problems.ts'
import { isFields } from './rules.ts'

const BROKER_CLASS: Path = ['metadata', 'annotations', 'eventing.knative.dev/broker.class']

/** Fields that keep their first value, by kind; all else may change. */
const IMMUTABLE: Readonly<Record<string, readonly Path[]>> = {
  Broker: [BROKER_CLASS, ['spec', 'config']],
  Trigger: [
    ['spec', 'broker'],
    ['spec', 'brokerRef'],
  ],
  Channel: [['spec']],
  InMemoryChannel: [['spec', 'delivery']],
  KafkaChannel: [
    ['spec', 'numPartitions'],
    ['spec', 'replicationFactor'],
    ['spec', 'retentionDuration'],
  ],
  Subscription: [['spec', 'channel']],
}

/**
 * What keeps `after` from replacing `before`; nothing when there is no `before`. The message is the one clients match on.
 * @see knative/eventing pkg/apis/{eventing,messaging}/v1, CheckImmutableFields
 */
export function updateErrors(before: AnyResource | undefined, after: AnyResource): readonly FieldError[] {
  if (!before) return []
  return (IMMUTABLE[after.kind] ?? []).flatMap((path): FieldError[] => {
    if (isDeepStrictEqual(valueAt(before, path), valueAt(after, path))) return []
    const details = 'it keeps its first value: delete the resource, or give the new one another name'
    return [{ paths: [path], message: 'Immutable fields changed (-old +new)', details }]
  })
}

function valueAt(resource: AnyResource, path: Path): unknown {
  return path.reduce<unknown>((value, key) => (isFields(value) ? value[key] : undefined), resource)
}
