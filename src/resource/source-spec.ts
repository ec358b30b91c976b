// What the `spec` of every source has: where events go, and how.
import { ceOverridesSchema } from './ce-overrides.ts'
import { type DeliveryManifest, deliveryFrom, deliverySchema } from './delivery.ts'
import { type Destination, destinationFrom, destinationSchema } from './destination.ts'

/** Upstream has `delivery` on few sources; here every source delivers through the same engine. */
export const deliveryField = deliverySchema
  .exactOptional()
  .describe('How events are delivered: retries, timeout, dead letter sink.')

export const sourceFields = {
  sink: destinationSchema.describe('Who gets the events.'),
  ceOverrides: ceOverridesSchema.exactOptional().describe('What every event gets besides.'),
  delivery: deliveryField,
}

/** Both, with the namespaces of their references written out. */
export function sinkAndDeliveryFrom(
  namespace: string,
  { sink, delivery }: { readonly sink: Destination; readonly delivery?: DeliveryManifest },
): { sink: Destination; delivery?: DeliveryManifest } {
  return {
    sink: destinationFrom(namespace, sink),
    ...(delivery && { delivery: deliveryFrom(namespace, delivery) }),
  }
}
