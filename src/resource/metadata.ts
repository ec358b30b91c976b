// What every resource carries beside its spec, as Kubernetes has it.
import { z } from 'zod'
import { withRule } from './rules.ts'

const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/
const QUALIFIED_NAME =
  /^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/
const LABEL_VALUE = /^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/
const LONGEST_LABEL = 63
const LONGEST_SUBDOMAIN = 253
/** Of all annotations of one resource, names included. */
const LARGEST_ANNOTATIONS_BYTES = 256 * 1024

/** A DNS-1123 label: what may stand between two dots of a host name. */
export const labelName = z
  .string()
  .min(1, { abort: true })
  .max(LONGEST_LABEL)
  .regex(LABEL, 'expected a DNS-1123 label: a-z, 0-9 and -, with a letter or digit at both ends')

/** A DNS-1123 subdomain: labels joined by dots. */
export const subdomainName = z
  .string()
  .min(1, { abort: true })
  .max(LONGEST_SUBDOMAIN)
  .regex(SUBDOMAIN, 'expected a DNS-1123 name: a-z, 0-9, - and ., with a letter or digit at both ends')

const qualifiedName = z
  .string()
  .max(LONGEST_SUBDOMAIN + 1 + LONGEST_LABEL)
  .regex(QUALIFIED_NAME, 'expected a name such as example.com/color, its last part at most 63 characters')

const labelValue = z
  .string()
  .max(LONGEST_LABEL)
  .regex(LABEL_VALUE, 'expected A-Z, a-z, 0-9, -, _ and ., with a letter or digit at both ends')

const ownerReference = z.strictObject({
  apiVersion: z.string().min(1),
  kind: z.string().min(1),
  name: z.string().min(1),
  uid: z.string().min(1),
  controller: z.boolean().exactOptional(),
  blockOwnerDeletion: z.boolean().exactOptional(),
})

/** The namespace of a resource that names none. */
export const DEFAULT_NAMESPACE = 'default'

/** `name` is the rule for the kind's names. */
export function metadataSchema(name: typeof labelName) {
  return withRule(
    z.strictObject({
      name: name.describe('Unique among resources of this kind in the namespace.'),
      generateName: z.string().exactOptional(),
      namespace: labelName.exactOptional().describe('Where the resource lives; `default` unless given.'),
      labels: z.record(qualifiedName, labelValue).exactOptional().describe('Short values to select resources by.'),
      annotations: z.record(qualifiedName, z.string()).exactOptional().describe('Text for tools, not to select by.'),
      uid: z.string().exactOptional(),
      resourceVersion: z.string().exactOptional(),
      generation: z.int().min(0).exactOptional(),
      creationTimestamp: z.string().exactOptional(),
      deletionTimestamp: z.string().exactOptional(),
      deletionGracePeriodSeconds: z.int().min(0).exactOptional(),
      finalizers: z.array(qualifiedName).exactOptional(),
      ownerReferences: z.array(ownerReference).exactOptional(),
      managedFields: z.array(z.unknown()).exactOptional(),
      selfLink: z.string().exactOptional(),
    }),
    ({ annotations }) => {
      const bytes = Buffer.byteLength(Object.entries(annotations ?? {}).join(''))
      if (bytes <= LARGEST_ANNOTATIONS_BYTES) return []
      const details = `expected at most ${LARGEST_ANNOTATIONS_BYTES} bytes`
      return [{ paths: [['annotations']], message: `invalid value: ${bytes} bytes of annotations`, details }]
    },
  )
}

export type Metadata = z.infer<ReturnType<typeof metadataSchema>>

/** The same metadata in a namespace. */
export function withNamespace(metadata: Metadata): Metadata & { readonly namespace: string } {
  return { ...metadata, namespace: metadata.namespace ?? DEFAULT_NAMESPACE }
}

/** `default` for a resource that lives in none, too. */
export function namespaceOf({ metadata }: { readonly metadata: Metadata }): string {
  return metadata.namespace ?? DEFAULT_NAMESPACE
}
