// A reference to another resource, as Knative's KReference.
import { z } from 'zod'
import { labelName } from './metadata.ts'

export const referenceSchema = z.strictObject({
  apiVersion: z
    .string()
    .min(1)
    .describe('Group and version, such as `serving.knative.dev/v1`; `v1` in the core group.'),
  kind: z.string().min(1).describe('Kind of the resource, such as `Service`.'),
  name: z.string().min(1).describe('Name of the resource.'),
  namespace: labelName.exactOptional().describe("Namespace of the resource; the referring resource's unless given."),
  address: z.string().exactOptional().describe('Which of its addresses, by name; the first unless given.'),
  group: z.string().exactOptional().describe('Read by nobody: `apiVersion` names the group.'),
})
export type Reference = z.infer<typeof referenceSchema>

/** The reference with its namespace written out. */
export function referenceFrom(namespace: string, reference: Reference): Reference & { readonly namespace: string } {
  return { ...reference, namespace: reference.namespace ?? namespace }
}
