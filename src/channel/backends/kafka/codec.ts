// Has a kafkajs connection write and read the two requests that every event is part of with code of our own. All else of
// them, and every other request, is kafkajs'.
import type { Node } from './client.ts'
import { encodeFetch, type FetchRequest } from './fetch-request.ts'
import { decodeFetch } from './fetch-response.ts'
import { encodeProduce, type ProduceRequest } from './produce-request.ts'
import { type FetchedMessage, recordsOf } from './records.ts'

interface Protocol {
  readonly request: { readonly apiVersion: number; encode(): Promise<unknown> }
  readonly response: { decode(payload: Buffer): Promise<unknown> }
}

/** The protocol of a request, in the version that both sides speak. */
type Lookup = (apiKey: number, definitions: unknown) => (request: unknown) => Protocol

const PRODUCE = 0
const FETCH = 1
/** Versions that have the layout. */
const PRODUCE_VERSIONS = [3, 4, 5, 6, 7, 8]
const FETCH_VERSION = 11

const ours = new WeakSet<Lookup>()

/** Idempotent. To be called for each request: a node that is connected again has forgotten it. */
export function useOwnCodec(node: Node): void {
  const broker = node as unknown as { lookupRequest: Lookup }
  const theirs = broker.lookupRequest
  if (ours.has(theirs)) return
  const lookup: Lookup = (apiKey, definitions) => {
    const protocolOf = theirs(apiKey, definitions)
    if (apiKey === PRODUCE) return (request) => producing(protocolOf(request), request as ProduceRequest)
    if (apiKey === FETCH) return (request) => fetching(protocolOf(request), request as FetchRequest)
    return protocolOf
  }
  ours.add(lookup)
  broker.lookupRequest = lookup
}

function producing(protocol: Protocol, request: ProduceRequest): Protocol {
  if (!PRODUCE_VERSIONS.includes(protocol.request.apiVersion)) return protocol
  return { ...protocol, request: { ...protocol.request, encode: async () => asEncoder(encodeProduce(request)) } }
}

function fetching(protocol: Protocol, request: FetchRequest): Protocol {
  const { request: theirs, response } = protocol
  const isOurs = theirs.apiVersion === FETCH_VERSION
  return {
    ...protocol,
    request: isOurs ? { ...theirs, encode: async () => asEncoder(encodeFetch(request)) } : theirs,
    response: {
      ...response,
      decode: async (payload) =>
        (isOurs ? decodeFetch(payload) : undefined) ?? withRecords((await response.decode(payload)) as TheirResponse),
    },
  }
}

/** What kafkajs makes of an answer. */
interface TheirResponse {
  readonly responses: readonly {
    readonly topicName: string
    readonly partitions: readonly { readonly messages: readonly TheirMessage[] }[]
  }[]
}

type TheirMessage = Omit<FetchedMessage, 'offset' | 'timestamp'> & {
  readonly offset: string
  readonly timestamp: string
}

function withRecords({ responses, ...rest }: TheirResponse) {
  const numbered = (message: TheirMessage): FetchedMessage => ({
    ...message,
    offset: Number(message.offset),
    timestamp: Number(message.timestamp),
  })
  return {
    ...rest,
    responses: responses.map(({ topicName, partitions }) => ({
      topicName,
      partitions: partitions.map(({ messages, ...partition }) => ({
        ...partition,
        records: recordsOf(messages.map(numbered)),
      })),
    })),
  }
}

/** What kafkajs takes from an encoder. */
function asEncoder(bytes: Buffer): { readonly buf: Buffer; readonly buffer: Buffer } {
  return { buf: bytes, buffer: bytes }
}
