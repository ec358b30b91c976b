import { labelName } from '../resource/metadata.ts'
import { printable } from '../sink/format-event.ts'
import { askServer, fieldsOf } from './admin-client.ts'
import { type Arguments, type Io, UsageError } from './command.ts'
import { namespaceFlag } from './resources.ts'

export interface ServiceName {
  readonly namespace: string
  readonly name: string
}

/** `ksvc/NAME` as `--as` has it, in the namespace of -n. */
export function serviceNameFrom(args: Arguments, text: string): ServiceName {
  const name = /^ksvc\/(.*)$/s.exec(text)?.[1] ?? ''
  if (labelName.safeParse(name).success) return { namespace: namespaceFlag(args), name }
  throw new UsageError(`--as: expected ksvc/NAME, such as ksvc/hello, got '${printable(text)}'`)
}

/**
 * Lets a Knative Service of a server stand for a URL. Throws a UsageError when the name is taken or no server answers.
 * What is returned releases it.
 */
export async function registerService(
  args: Arguments,
  io: Pick<Io, 'env'>,
  { namespace, name }: ServiceName,
  url: string,
): Promise<() => Promise<void>> {
  const path = `/tidings/v1/services/${namespace}/${name}`
  fieldsOf(await askServer(args, io, path, { method: 'PUT', body: { url } }), 'a service')
  return async () => {
    await askServer(args, io, path, { method: 'DELETE' })
  }
}
