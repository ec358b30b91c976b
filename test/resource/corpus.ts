// What validation must refuse: one case per rule, with the place and the words of every problem.
import type { Case } from './corpus/case.ts'
import { coreCases, coreRules } from './corpus/core.ts'
import { deliveryCases, deliveryRules } from './corpus/delivery.ts'
import { destinationCases, destinationRules } from './corpus/destination.ts'
import { documentCases, documentRules } from './corpus/document.ts'
import { eventingCases, eventingRules } from './corpus/eventing.ts'
import { messagingCases, messagingRules } from './corpus/messaging.ts'
import { metadataCases, metadataRules } from './corpus/metadata.ts'
import { servicesCases, servicesRules } from './corpus/services.ts'
import { sourcesCases, sourcesRules } from './corpus/sources.ts'

/** Rules that cannot be read off the schemas, as `<Schema>.<field> wrong type` and `<Schema>.<field> absent` can. */
export const ownRules: readonly string[] = [
  ...documentRules,
  ...metadataRules,
  ...destinationRules,
  ...deliveryRules,
  ...eventingRules,
  ...messagingRules,
  ...sourcesRules,
  ...servicesRules,
  ...coreRules,
]

export const cases: readonly Case[] = [
  ...documentCases,
  ...metadataCases,
  ...destinationCases,
  ...deliveryCases,
  ...eventingCases,
  ...messagingCases,
  ...sourcesCases,
  ...servicesCases,
  ...coreCases,
]
