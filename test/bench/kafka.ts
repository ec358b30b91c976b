// The Kafka that parts of the bench store in: one node on the same machine, beside sender and sink, so that the program
// under measure has its core to itself.
import { startKafka } from '../support/servers/kafka.ts'
import type { Fleet } from './processes.ts'
import type { Usage } from './protocol.ts'

export interface Node {
  readonly brokers: readonly string[]
  readonly port: string
}

/** Ends with the fleet. */
export async function startNode(fleet: Fleet): Promise<Node> {
  const cpus = fleet.cpuOf('load')
  const kafka = await startKafka(cpus === undefined ? {} : { cpus })
  fleet.keep(kafka)
  const { brokers } = kafka
  return { brokers, port: brokers[0]?.split(':').at(-1) ?? '' }
}

/** What a process has read from it, and how many connections it has to it. */
export function useOf({ servers }: Usage, { port }: Node): Usage['servers'][string] {
  return servers[port] ?? { connections: 0, receivedBytes: 0 }
}
