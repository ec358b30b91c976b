// What one case of validation says, and manifests made short: each part of a document on a line of its own.

export interface Case {
  readonly rule: string
  readonly text: string
  /** `line:column path: message` of every problem, in order. */
  readonly problems: readonly string[]
}

export function document(apiVersion: string, kind: string, metadata: string, spec: string): string {
  return `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {${metadata}}\nspec: {${spec}}\n`
}

export function broker(spec: string, metadata = 'name: b'): string {
  return document('eventing.knative.dev/v1', 'Broker', metadata, spec)
}

export function trigger(spec: string, metadata = 'name: t'): string {
  return document('eventing.knative.dev/v1', 'Trigger', metadata, spec)
}

export function kservice(metadata: string, spec = 'spec: {}'): string {
  return `apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {${metadata}}\n${spec}\n`
}
