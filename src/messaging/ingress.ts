// A channel's door: whether a request is for a channel, which one, and what its sender is told. An event is stored as it
// came: channels count no hops and stamp no arrival time. Who gets it then is the channel's business.
import {
  answerOf,
  counted,
  createHandOff,
  type IngressOptions,
  type IngressTarget,
  refusedByDecoder,
  type Verdict,
} from '../broker/ingress.ts'
import type { Room } from '../channel/log.ts'
import type { Event } from '../core/event.ts'
import { shown } from '../http/attributes.ts'
import { decodeRequest } from '../http/decode.ts'
import type { Answer, DataRequest } from '../http/server.ts'

export interface ChannelIngressOptions extends Omit<IngressOptions, 'maxTtl'> {
  /** Domain of the cluster's services, such as `cluster.local`. */
  readonly clusterDomain: string
}

/**
 * Answers a request for a channel, 202 only after its event is stored; undefined when it is for something else. `room` is
 * `publish` unless the event comes from this process.
 */
export type ChannelIngress = (request: DataRequest, room?: Room) => Promise<Answer> | undefined

interface Address {
  readonly namespace: string
  readonly name: string
}

const PREFIX = '/channels/'
const SERVICE_SUFFIX = '-kn-channel'
const WRONG_PATH: Answer = { status: 400, text: 'expected a path of the form /channels/{namespace}/{name}' }

export function createChannelIngress(options: ChannelIngressOptions): ChannelIngress {
  const { find, clock, maxEventBytes, onError } = options
  const handOff = createHandOff('channel', onError)
  const hostSuffix = `.svc.${options.clusterDomain}`

  /** The channel is looked for first, as upstream does and unlike a broker: to none, nothing is an event. */
  async function receive({ namespace, name }: Address, request: DataRequest, room: Room): Promise<Answer> {
    const target = find(namespace, name)
    if (!target) {
      return { status: 404, text: `no channel ${shown(name)} in namespace ${shown(namespace)}: create it first` }
    }
    // Authorization goes here, when there are policies to ask.
    return answerOf(counted(target, await accept(target, request, room)))
  }

  async function accept(target: IngressTarget, { rawHeaders, body }: DataRequest, room: Room): Promise<Verdict> {
    let events: readonly Event[]
    try {
      events = decodeRequest(rawHeaders, body, { allowBatch: false, arrivedAt: clock.wall(), maxEventBytes })
    } catch (error) {
      return refusedByDecoder(error)
    }
    // There is one: a batch was refused.
    const [event] = events
    return event ? handOff(target, event, room) : { kind: 'accepted' }
  }

  return (request, room = 'publish') => {
    const { path, host } = request
    if (path === '/') {
      const address = parseHost(host, hostSuffix)
      return address && receive(address, request, room)
    }
    if (!isChannelPath(path)) return undefined
    const address = parsePath(path)
    return address ? receive(address, request, room) : Promise.resolve(WRONG_PATH)
  }
}

/** `/channels/{name}`, with or without a slash at the end, is the broker of that name in namespace `channels`. */
function isChannelPath(path: string): boolean {
  if (!path.startsWith(PREFIX)) return false
  const next = path.indexOf('/', PREFIX.length)
  return next >= 0 && next < path.length - 1
}

/** `/channels/{namespace}/{name}`, with or without one slash at the end; undefined when there is more. */
function parsePath(path: string): Address | undefined {
  const [namespace = '', name = '', ...rest] = path.slice(PREFIX.length).split('/')
  return rest.join('/') === '' ? { namespace, name } : undefined
}

/**
 * `{name}-kn-channel.{namespace}` before the suffix; undefined for any other Host. With a port it is another one, as
 * upstream's dispatcher has it.
 * @see knative/eventing pkg/channel/event_receiver.go
 */
function parseHost(host: string, suffix: string): Address | undefined {
  if (!host.endsWith(suffix)) return undefined
  const [service = '', namespace, ...rest] = host.slice(0, -suffix.length).split('.')
  if (!service.endsWith(SERVICE_SUFFIX) || !namespace || rest.length > 0) return undefined
  return { namespace, name: service.slice(0, -SERVICE_SUFFIX.length) }
}
