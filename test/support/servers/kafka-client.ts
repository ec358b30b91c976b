// What another program does with a Kafka: on kafkajs, with a connection for each step.
import { type Admin, Kafka as Client, type KafkaMessage, logLevel, type Message } from 'kafkajs'
import { eventually } from '../eventually.ts'

export interface KafkaClient {
  createTopic(topic: string, options?: { readonly partitions?: number; readonly replicas?: number }): Promise<void>
  topics(): Promise<readonly string[]>
  send(topic: string, messages: readonly Message[]): Promise<void>
  /** The first `count` messages that it gets to see, from the start of the topic. */
  read(topic: string, count: number): Promise<readonly KafkaMessage[]>
  withAdmin<T>(use: (admin: Admin) => Promise<T>): Promise<T>
}

export function kafkaClient(brokers: readonly string[]): KafkaClient {
  const client = new Client({
    brokers: [...brokers],
    logLevel: logLevel.NOTHING,
    retry: { retries: 20, initialRetryTime: 100, maxRetryTime: 500 },
  })
  let readers = 0

  async function withAdmin<T>(use: (admin: Admin) => Promise<T>): Promise<T> {
    const admin = client.admin()
    await admin.connect()
    try {
      return await use(admin)
    } finally {
      await admin.disconnect()
    }
  }

  return {
    withAdmin,
    async createTopic(topic, { partitions = 1, replicas = 1 } = {}) {
      const config = { topic, numPartitions: partitions, replicationFactor: replicas }
      // Waiting for leaders fails where the node that is asked has not heard of the topic yet.
      await withAdmin((admin) => admin.createTopics({ topics: [config], waitForLeaders: false }))
    },
    topics: () => withAdmin((admin) => admin.listTopics()),
    async send(topic, messages) {
      const producer = client.producer({ allowAutoTopicCreation: false })
      await producer.connect()
      await producer.send({ topic, acks: -1, messages: [...messages] })
      await producer.disconnect()
    },
    async read(topic, count) {
      const consumer = client.consumer({ groupId: `${topic}-reader-${++readers}` })
      const messages: KafkaMessage[] = []
      await consumer.connect()
      await consumer.subscribe({ topic, fromBeginning: true })
      await consumer.run({
        eachMessage: async ({ message }) => {
          messages.push(message)
        },
      })
      await eventually(() => messages.length >= count, `${count} messages in ${topic}`, 60_000)
      await consumer.disconnect()
      return messages.slice(0, count)
    },
  }
}
