// What settings there are, what is valid, and what each is unless somebody says otherwise.
import { z } from 'zod'
import { parseDuration } from '../core/duration.ts'
import { codeOf } from '../core/errors.ts'
import { LOG_LEVELS } from '../observe/logger.ts'
import { UNSETTLED_POLICIES } from '../resource/retention.ts'
import { bootstrapServersOf } from './kafka-config.ts'
import { EXPECTED_TOPIC, isTopicName, templateProblem } from './topic-name.ts'

const MIB = 1024 * 1024
const LARGEST_PORT = 65_535
const EXPECTED_SERVERS = 'expected host:port, or several with commas between'
const SERVER = /^(?:\[[0-9a-fA-F:]+\]|[^\s:/@]+):\d{1,5}$/
const EXPECTED_DURATION = 'expected an ISO 8601 duration such as PT10S'

const text = z.string('expected text').min(1, 'expected text')

/** Flags and the environment give everything as text. */
const yesOrNo = z.preprocess(
  (value) => (value === 'true' || value === 'false' ? value === 'true' : value),
  z.boolean('expected true or false'),
)

function integer(least: number, most = Number.MAX_SAFE_INTEGER) {
  const expected = `expected a whole number from ${least} to ${most}`
  return z.preprocess(
    (value) => (typeof value === 'string' && /^\d{1,16}$/.test(value) ? Number(value) : value),
    z.int(expected).min(least, expected).max(most, expected),
  )
}

function oneOf<const Values extends readonly [string, ...string[]]>(values: Values) {
  return z.enum(values, `expected one of ${values.join(', ')}`)
}

/** ISO 8601 in, milliseconds out. */
function duration(leastMs = 1) {
  return z.string(EXPECTED_DURATION).transform((value, context) => {
    const ms = durationMs(value)
    if (ms !== undefined && ms >= leastMs) return ms
    context.addIssue({ code: 'custom', message: EXPECTED_DURATION })
    return z.NEVER
  })
}

const backend = oneOf(['memory', 'disk', 'kafka', 'redis']).superRefine((value, context) => {
  if (value !== 'redis') return
  const message = `the ${value} backend is not available in this version; use --channel disk, memory or kafka`
  context.addIssue({ code: 'custom', message })
})

/** As Kafka's own tools take them: text in, a list out. */
const servers = z.string(EXPECTED_SERVERS).transform((value, context) => {
  const list = bootstrapServersOf(value)
  if (list.length > 0 && list.every((server) => SERVER.test(server))) return list
  context.addIssue({ code: 'custom', message: EXPECTED_SERVERS })
  return z.NEVER
})

const topicName = text.refine(isTopicName, EXPECTED_TOPIC)

const topicTemplate = text.superRefine((value, context) => {
  const problem = templateProblem(value)
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem })
})

/** Every setting with its default beside it. Durations are named without a unit in YAML and get `Ms` here once read. */
export const schema = z.strictObject({
  data: z
    .strictObject({
      host: text.prefault('127.0.0.1').describe('Address of the data port, where events come in'),
      port: integer(0, LARGEST_PORT).prefault(8080).describe('The data port; 0 takes a free one'),
      externalUrl: z
        .url({ protocol: /^https?$/, error: 'expected a URL such as http://broker.example.com' })
        .transform((url) => url.replace(/\/+$/, ''))
        .optional()
        .describe('How others reach the data port; its own address unless set'),
      clusterDomain: text
        .prefault('cluster.local')
        .describe('Domain of the names that channels answer to by Host: NAME-kn-channel.NAMESPACE.svc.DOMAIN'),
      maxEventBytes: integer(1).prefault(MIB).describe('Largest data of one event'),
      maxRequestBytes: integer(1)
        .prefault(16 * MIB)
        .describe('Largest request body, batches included'),
    })
    .prefault({}),
  admin: z
    .strictObject({
      host: text.prefault('127.0.0.1').describe('Address of the admin port; it asks for no login'),
      port: integer(0, LARGEST_PORT).prefault(8081).describe('The admin port; 0 takes a free one'),
    })
    .prefault({}),
  metrics: z
    .strictObject({
      host: text.prefault('127.0.0.1').describe('Address of the metrics port'),
      port: integer(0, LARGEST_PORT).optional().describe('Serves metrics and probes here too, beside the admin port'),
    })
    .prefault({}),
  channel: z
    .strictObject({
      backend: backend.prefault('disk').describe('Where events are kept until they are delivered'),
      memory: z
        .strictObject({
          capBytes: integer(MIB)
            .prefault(64 * MIB)
            .describe('What one log in memory may hold'),
          retentionBytes: integer(0)
            .prefault(MIB)
            .describe('Of these, settled events that are kept; annotation tidings.dev/retention-bytes wins'),
        })
        .prefault({}),
      disk: z
        .strictObject({
          capBytes: integer(MIB)
            .prefault(1024 * MIB)
            .describe('What one log on disk may hold'),
          retentionBytes: integer(0)
            .prefault(64 * MIB)
            .describe('Of these, settled events that are kept; annotation tidings.dev/retention-bytes wins'),
          segmentBytes: integer(MIB, 512 * MIB)
            .prefault(64 * MIB)
            .describe('A journal file that has grown to this is followed by another'),
          journalBytes: integer(2 * MIB)
            .prefault(256 * MIB)
            .describe('Journal files above this are shortened: what lags is copied out of the oldest'),
          recentBytes: integer(0)
            .prefault(16 * MIB)
            .describe('Events stored last that are kept in memory until they are settled, over all logs'),
          waitingBytes: integer(MIB)
            .prefault(64 * MIB)
            .describe('What may wait to be written, over all logs; beyond it senders get 503'),
          reserveBytes: integer(0)
            .prefault(8 * MIB)
            .describe('Room kept on a disk that gets full, for cursors and all that frees some'),
          lowSpaceBytes: integer(0)
            .prefault(1024 * MIB)
            .describe('Less free on the file system of the data directory is warned of; 0 for never'),
        })
        .prefault({}),
      kafka: z
        .strictObject({
          capBytes: integer(MIB)
            .prefault(10 * 1024 * MIB)
            .describe('What one log in Kafka may hold'),
          retentionBytes: integer(0)
            .prefault(64 * MIB)
            .describe('Of these, settled events that are kept; annotation tidings.dev/retention-bytes wins'),
        })
        .prefault({}),
      saveIntervalMs: integer(10, 60_000)
        .prefault(1_000)
        .describe('How often cursors that moved are saved; less often where a log has more than 5 lanes'),
    })
    .prefault({}),
  kafka: z
    .strictObject({
      bootstrapServers: servers
        .optional()
        .describe('The Kafka cluster of all that names no other: host:port, or several with commas between'),
      authDir: text
        .optional()
        .describe(
          "Folder with a file for each key that a Secret of Knative's Kafka extension has: protocol, user, ...",
        ),
      partitions: integer(1, 10_000)
        .prefault(10)
        .describe('Of a topic that is made, unless a ConfigMap says otherwise'),
      replicationFactor: integer(1, 32_767)
        .prefault(3)
        .describe('Of a topic that is made, unless a ConfigMap says otherwise; not more than the cluster has nodes'),
      sessionTimeoutMs: integer(1_000, 1_800_000)
        .prefault(10_000)
        .describe('A process that was silent for so long has lost its partitions to others'),
      registryTopic: topicName.prefault('tidings-registry').describe('Topic in which it stands whose each topic is'),
      brokerTopic: topicTemplate
        .prefault('knative-broker-{{ .Namespace }}-{{ .Name }}')
        .describe("Name of a new Broker's topic; one that is there keeps its own"),
      channelTopic: topicTemplate
        .prefault('knative-messaging-kafka.{{ .Namespace }}.{{ .Name }}')
        .describe("Name of a new KafkaChannel's topic; one that is there keeps its own"),
    })
    .prefault({}),
  deadLetter: z
    .strictObject({
      capBytes: integer(MIB)
        .optional()
        .describe('What one dead-letter log may hold; 1 GiB, and 16 MiB in memory, unless set'),
      retention: duration().prefault('P30D').describe('How long a dead letter waits before it is given up'),
    })
    .prefault({})
    .transform(({ retention, ...others }) => ({ ...others, retentionMs: retention })),
  delivery: z
    .strictObject({
      maxInFlight: integer(1, 10_000).prefault(64).describe('Attempts of one subscription at the same time'),
      maxUnsettled: integer(1, 100_000).prefault(1_000).describe('Events of one subscription running, waiting, queued'),
      timeout: duration().prefault('PT600S').describe('Longest attempt where no manifest says otherwise'),
      backoffMax: duration().prefault('PT24H').describe('Longest wait that growing waits may reach'),
      retryAfterMax: duration(0)
        .prefault('PT5M')
        .describe('Longest wait a Retry-After header may ask for; PT0S ignores it'),
      connectionsPerOrigin: integer(1, LARGEST_PORT).prefault(1_024).describe('Connections to one subscriber host'),
      maxResponseBytes: integer(1).prefault(MIB).describe('Largest answer of a subscriber; a larger one is a failure'),
    })
    .prefault({})
    .transform(({ timeout, backoffMax, retryAfterMax, ...others }) => ({
      ...others,
      timeoutMs: timeout,
      backoffMaxMs: backoffMax,
      retryAfterMaxMs: retryAfterMax,
    })),
  memory: z
    .strictObject({
      bodyBudgetBytes: integer(MIB)
        .prefault(128 * MIB)
        .describe('Events in memory, of the whole process'),
      namespaceBudgetBytes: integer(MIB)
        .prefault(96 * MIB)
        .describe('Of these, for one namespace'),
      brokerBudgetBytes: integer(MIB)
        .prefault(64 * MIB)
        .describe('Of these, for one Broker'),
      subscriptionBudgetBytes: integer(MIB)
        .prefault(32 * MIB)
        .describe('Of these, for one subscription'),
    })
    .prefault({}),
  broker: z
    .strictObject({
      maxTtl: integer(1, 255).prefault(255).describe('How many times an event may pass through Brokers'),
    })
    .prefault({}),
  source: z
    .strictObject({
      catchUp: oneOf(['none', 'last', 'all'])
        .prefault('none')
        .describe('Which missed times of a schedule fire late; annotation tidings.dev/catch-up of a source wins'),
      catchUpMax: integer(1, 10_000).prefault(100).describe('Missed times of one source that `all` fires at most'),
    })
    .prefault({}),
  explain: z
    .strictObject({
      attempts: integer(0, 10_000_000)
        .prefault(16_384)
        .describe('Attempts at deliveries that are remembered for tidings why, about 200 bytes each'),
      viewers: integer(1, 1_000).prefault(16).describe('How many tidings tail may look at once; others get 503'),
      viewerBytes: integer(1_024, 1_000_000_000)
        .prefault(1_048_576)
        .describe('What waits for one that is slow; lines beyond are dropped and counted'),
      recentEvents: integer(0, 10_000_000)
        .prefault(131_072)
        .describe('Events that tidings why finds in a log at once, 16 bytes each; older ones it looks for'),
    })
    .prefault({}),
  log: z
    .strictObject({
      level: oneOf(LOG_LEVELS).prefault('info').describe('The least that is logged'),
    })
    .prefault({}),
  retention: z
    .strictObject({
      deleted: duration(0)
        .prefault('PT24H')
        .describe('How long a deleted Broker, Channel or Trigger keeps events that wait, for when it comes back'),
      time: duration(0)
        .prefault('PT168H')
        .describe('How long settled events are kept; annotation tidings.dev/retention wins'),
      unsettled: oneOf(UNSETTLED_POLICIES)
        .prefault('keep')
        .describe(
          'Whether time and bytes hold for what is not settled; annotation tidings.dev/retention-unsettled wins',
        ),
    })
    .prefault({})
    .transform(({ deleted, time, ...others }) => ({ ...others, deletedMs: deleted, timeMs: time })),
  drainMs: integer(0, 3_600_000).prefault(25_000).describe('How long running deliveries may take at the end'),
  ephemeral: yesOrNo.prefault(false).describe('Keep nothing: events in memory, no data directory'),
  installation: text
    .optional()
    .describe('One name for all processes that share their logs in Kafka: each resource has one uid in all of them'),
  dataDir: text.prefault('.tidings').describe('Folder for what must survive a restart'),
})

export type SettingValues = z.output<typeof schema>

export interface Leaf {
  readonly name: string
  readonly description: string
  /** The default, as it would be given. */
  readonly value: unknown
}

/** Read off the schema, so that nothing is written twice. */
export const leaves: readonly Leaf[] = leavesOf(z.toJSONSchema(schema, { io: 'input' }), [])

function leavesOf(
  { properties, description = '', default: value }: z.core.JSONSchema.BaseSchema,
  path: string[],
): Leaf[] {
  if (!properties) return [{ name: path.join('.'), description, value }]
  return Object.entries(properties).flatMap(([key, inner]) =>
    typeof inner === 'boolean' ? [] : leavesOf(inner, [...path, key]),
  )
}

function durationMs(value: string): number | undefined {
  try {
    return parseDuration(value)
  } catch (error) {
    if (codeOf(error) === 'MANIFEST_INVALID') return undefined
    throw error
  }
}
