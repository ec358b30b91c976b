// What the Kubernetes-shaped API answers instead of an object: a Status, in the API server's words, which kubectl prints.

export interface Failure {
  readonly kind: 'Status'
  readonly apiVersion: 'v1'
  readonly metadata: Readonly<Record<string, never>>
  readonly status: 'Failure'
  readonly message: string
  readonly reason:
    | 'BadRequest'
    | 'Forbidden'
    | 'InternalError'
    | 'MethodNotAllowed'
    | 'NotFound'
    | 'RequestEntityTooLarge'
  readonly details?: { readonly name: string; readonly group?: string; readonly kind: string }
  readonly code: number
}

const reasons: Readonly<Record<number, Failure['reason']>> = {
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  413: 'RequestEntityTooLarge',
  500: 'InternalError',
}

export function failure(code: number, message: string, details?: Failure['details']): Failure {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason: reasons[code] ?? 'BadRequest',
    ...(details && { details }),
    code,
  }
}

/** `triggers.eventing.knative.dev "x" not found` */
export function objectNotFound(group: string, plural: string, name: string): Failure {
  const resource = group === '' ? plural : `${plural}.${group}`
  return failure(404, `${resource} "${name}" not found`, { name, ...(group !== '' && { group }), kind: plural })
}

export function pathNotFound(): Failure {
  return failure(404, 'the server could not find the requested resource')
}
