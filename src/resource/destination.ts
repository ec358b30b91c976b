// Where a manifest wants events to go, before anything is resolved: a reference, a URI, or a URI relative to a reference.
import { X509Certificate } from 'node:crypto'
import { z } from 'zod'
import type { FieldError } from './problems.ts'
import { referenceFrom, referenceSchema } from './reference.ts'
import { type Fields, withRule } from './rules.ts'

const ABSOLUTE = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]/i
/** Beside a reference: what leads away from it. */
const ELSEWHERE = /^([a-z][a-z0-9+.-]*:|\/\/|\\)/i
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

/** Rules and messages: knative.dev/pkg apis/duck/v1/destination.go. */
export const destinationSchema = withRule(
  z.strictObject({
    ref: referenceSchema.exactOptional().describe('A resource that has an address.'),
    uri: z
      .string()
      .refine(isUri, 'expected a URI')
      .exactOptional()
      .describe('An absolute URL; beside `ref`, a URL reference resolved against its address.'),
    CACerts: z
      .string()
      .refine(isCertificates, 'expected certificates in PEM form')
      .exactOptional()
      .describe("Certificates to trust instead of the address's own."),
    audience: z.string().exactOptional().describe('OIDC audience of the destination.'),
  }),
  checkDestination,
)
export type Destination = z.infer<typeof destinationSchema>

/** The destination with the namespace of its reference written out. */
export function destinationFrom(namespace: string, destination: Destination): Destination {
  return destination.ref ? { ...destination, ref: referenceFrom(namespace, destination.ref) } : destination
}

/** What `ref` and `uri` must be together. */
export function checkDestination({ ref, uri }: Fields): readonly FieldError[] {
  if (ref === undefined && uri === undefined) {
    return [{ paths: [['ref'], ['uri']], message: 'expected at least one, got none' }]
  }
  if (typeof uri !== 'string' || !isUri(uri)) return []
  const isAbsolute = ABSOLUTE.test(uri)
  if (ref === undefined && !isAbsolute) {
    const message = 'Relative URI is not allowed when Ref and [apiVersion, kind, name] is absent'
    return [{ paths: [['uri']], message }]
  }
  if (ref !== undefined && ELSEWHERE.test(uri)) {
    const message = 'Absolute URI is not allowed when Ref or [apiVersion, kind, name] is present'
    return [{ paths: [['uri']], message }]
  }
  return []
}

function isUri(text: string): boolean {
  return URL.canParse(text, 'http://host/')
}

function isCertificates(text: string): boolean {
  const blocks = text.match(CERTIFICATE) ?? []
  return blocks.length > 0 && blocks.every(isCertificate)
}

function isCertificate(pem: string): boolean {
  try {
    new X509Certificate(pem)
    return true
  } catch {
    return false
  }
}
