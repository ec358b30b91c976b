// Whose certificates are believed: the well-known authorities, as node ships them, and beside them what a target brings.
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls'

/** A context takes 30 ms to make and a megabyte to keep; one cluster's targets share one bundle, so few are needed. */
const MOST_CONTEXTS = 16

/**
 * Client trust is the system's roots and the target's certificates together, so that a target may change to a public
 * certificate without its CACerts being taken away first.
 * @see knative/eventing pkg/eventingtls
 */
export function trustedWith(caCerts: string): string[] {
  return [...rootCertificates, caCerts]
}

/** Contexts by what they trust, PEM: equal texts share one. */
export function createTrust(): (caCerts: string) => SecureContext {
  const contexts = new Map<string, SecureContext>()
  return (caCerts) => {
    let context = contexts.get(caCerts)
    if (context === undefined) {
      if (contexts.size >= MOST_CONTEXTS) contexts.clear()
      context = createSecureContext({ ca: trustedWith(caCerts) })
      contexts.set(caCerts, context)
    }
    return context
  }
}
