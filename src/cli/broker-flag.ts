import { printable } from '../sink/format-event.ts'
import { type Arguments, textFlag, UsageError } from './command.ts'
import { nameWord } from './resources.ts'

export const BROKER_OPTION = { broker: { type: 'string' } } as const
export const BROKER_USAGE =
  '  --broker NAME        namespace/name of the Broker, or its name in namespace default (default/default)\n'

/** `namespace/name`, each as a part of a path. */
export function brokerFlag(args: Arguments): string {
  const wanted = textFlag(args, 'broker') ?? 'default'
  const [namespace = '', name = '', ...rest] = wanted.includes('/') ? wanted.split('/') : ['default', wanted]
  if (rest.length > 0) throw new UsageError(`--broker: expected namespace/name, got '${printable(wanted)}'`)
  return `${nameWord(namespace)}/${nameWord(name)}`
}

/** An id may be any text, but two that no URL can have as a part of its path. */
export function idSegment(id: string): string {
  if (id !== '' && id !== '.' && id !== '..') return encodeURIComponent(id)
  throw new UsageError(`an event with id '${printable(id)}' cannot be looked up by it`)
}
