// The same over Kafka: what is killed is the program, a node of the cluster, or each of its nodes in turn as an operator
// restarts them.
import { kafkaHost } from './kafka-host.ts'
import { describeStorms } from './storms.ts'

const KAFKA = { servers: ['own kafka'], stormRounds: 25, mostMsARound: 120_000 } as const

describeStorms({
  ...KAFKA,
  name: 'a crash on Kafka of the program',
  openHost: kafkaHost({ nodes: 1, trouble: 'none' }),
  rounds: { short: 2, long: 100 },
  killsPer10000: 5,
})

describeStorms({
  ...KAFKA,
  name: 'a crash on Kafka of its only node',
  openHost: kafkaHost({ nodes: 1, trouble: 'a node is killed' }),
  rounds: { short: 1, long: 50 },
  killsPer10000: 5,
})

describeStorms({
  ...KAFKA,
  name: 'a crash on Kafka of one node of three',
  openHost: kafkaHost({ nodes: 3, trouble: 'a node is killed' }),
  rounds: { short: 0, long: 50 },
  killsPer10000: 5,
})

describeStorms({
  ...KAFKA,
  name: 'a crash on Kafka: a rolling restart',
  openHost: kafkaHost({ nodes: 3, trouble: 'all nodes are restarted' }),
  rounds: { short: 1, long: 5 },
  killsPer10000: 3,
})
