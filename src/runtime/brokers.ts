// The brokers of a runtime, opened from their resources.
import { randomUUID } from 'node:crypto'
import { type OpenBroker, openBroker } from '../broker/broker.ts'
import type { LogStore } from '../channel/log.ts'
import { Budget } from '../core/budget.ts'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../observe/logger.ts'
import { type Broker, brokerKind } from '../resource/kinds/broker.ts'
import type { AnyResource } from '../resource/known-kinds.ts'
import { namespaceOf } from '../resource/metadata.ts'
import type { Settings } from './settings.ts'

export interface RunningBroker {
  readonly resource: Broker
  readonly open: OpenBroker
}

export interface BrokerSurroundings {
  readonly settings: Settings
  readonly clock: Clock
  readonly logger: Logger
  readonly store: LogStore
  /** Of all deliveries. */
  readonly budget: Budget
}

/** By `namespace/name`. Their lanes are not taken up yet: that is `Channel.start`, once triggers are placed. */
export async function openBrokers(
  resources: readonly AnyResource[],
  { settings, clock, logger, store, budget }: BrokerSurroundings,
): Promise<ReadonlyMap<string, RunningBroker>> {
  const brokers = new Map<string, RunningBroker>()
  const namespaces = new Map<string, Budget>()
  const { namespaceBudgetBytes, brokerBudgetBytes, subscriptionBudgetBytes } = settings.memory
  for (const resource of resources) {
    if (resource.kind !== 'Broker') continue
    const namespace = namespaceOf(resource)
    const { name } = resource.metadata
    const namespaceBudget = namespaces.get(namespace) ?? new Budget(namespaceBudgetBytes, budget)
    namespaces.set(namespace, namespaceBudget)
    const open = await openBroker({
      uid: randomUUID(),
      namespace,
      name,
      store,
      clock,
      budget: new Budget(brokerBudgetBytes, namespaceBudget),
      capBytes: settings.channel.memory.capBytes,
      deadLetterCapBytes: settings.deadLetter.capBytes,
      channel: {
        saveIntervalMs: settings.channel.saveIntervalMs,
        saveBytes: settings.channel.memory.capBytes / 64,
        ringBytes: settings.channel.ringBytes,
        subscriptionBytes: subscriptionBudgetBytes,
      },
      onFault: (what, error) => logger.warn({ namespace, broker: name, err: error }, `cannot ${what}; trying again`),
    })
    brokers.set(`${namespace}/${name}`, { resource, open })
  }
  return brokers
}

/** Standalone, namespace `default` has a Broker `default` unless the user brings one. */
export function withDefaultBroker(resources: readonly AnyResource[]): readonly AnyResource[] {
  const has = resources.some(
    (resource) =>
      resource.kind === 'Broker' && namespaceOf(resource) === 'default' && resource.metadata.name === 'default',
  )
  if (has) return resources
  const reading = brokerKind.read({
    apiVersion: 'eventing.knative.dev/v1',
    kind: 'Broker',
    metadata: { name: 'default' },
  })
  return reading.kind === 'valid' ? [...resources, reading.resource] : resources
}
