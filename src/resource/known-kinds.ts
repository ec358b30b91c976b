// Every kind there is. A new one gets its file in kinds/ and its line here.
import { apiVersionOf, type Kind } from './kind.ts'
import { type Broker, brokerKind } from './kinds/broker.ts'
import { type KService, kserviceKind } from './kinds/kservice.ts'
import { type Service, serviceKind } from './kinds/service.ts'
import { type Trigger, triggerKind } from './kinds/trigger.ts'

/** `apiVersion` and `kind` together tell which one it is. */
export type AnyResource = Broker | Trigger | KService | Service

export const knownKinds: readonly Kind<AnyResource>[] = [brokerKind, triggerKind, kserviceKind, serviceKind]

/** The kind that `apiVersion` and `kind` of a manifest name, or undefined. */
export function findKind(apiVersion: string, kind: string): Kind<AnyResource> | undefined {
  return knownKinds.find(
    (known) => known.kind === kind && known.versions.some((version) => apiVersionOf(known, version) === apiVersion),
  )
}

/** Says which kinds there are to somebody who asked for another. */
export function describeUnknownKind(apiVersion: string, kind: string): string {
  const known = knownKinds.map((each) => `${each.kind} in ${apiVersionOf(each)}`).join(', ')
  return `no kind ${kind} in ${apiVersion}; known are ${known}`
}
