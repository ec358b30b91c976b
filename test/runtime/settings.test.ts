import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describeSettings, readSettings, type SettingSources } from '../../src/runtime/settings.ts'

const config = (text: string): SettingSources => ({ env: {}, configFile: { name: 'c.yaml', text } })
const refusalOf = (sources: SettingSources): string => {
  try {
    readSettings({ env: {}, ...sources })
  } catch (error) {
    assert.ok(error instanceof Error && 'code' in error)
    assert.equal(error.code, 'SETTING_INVALID')
    return error.message
  }
  assert.fail('the settings were accepted')
}

describe('readSettings', () => {
  it('has a default for everything', () => {
    const { origins, ...values } = readSettings({ env: {} })

    assert.deepEqual(values, {
      data: {
        host: '127.0.0.1',
        port: 8080,
        clusterDomain: 'cluster.local',
        maxEventBytes: 1_048_576,
        maxRequestBytes: 16_777_216,
      },
      admin: { host: '127.0.0.1', port: 8081 },
      metrics: { host: '127.0.0.1' },
      channel: {
        backend: 'disk',
        memory: { capBytes: 67_108_864, retentionBytes: 1_048_576 },
        disk: {
          capBytes: 1_073_741_824,
          retentionBytes: 67_108_864,
          segmentBytes: 67_108_864,
          journalBytes: 268_435_456,
          recentBytes: 16_777_216,
          waitingBytes: 67_108_864,
          reserveBytes: 8_388_608,
          lowSpaceBytes: 1_073_741_824,
        },
        kafka: { capBytes: 10_737_418_240, retentionBytes: 67_108_864 },
        saveIntervalMs: 1_000,
      },
      kafka: {
        partitions: 10,
        replicationFactor: 3,
        sessionTimeoutMs: 10_000,
        registryTopic: 'tidings-registry',
        brokerTopic: 'knative-broker-{{ .Namespace }}-{{ .Name }}',
        channelTopic: 'knative-messaging-kafka.{{ .Namespace }}.{{ .Name }}',
      },
      deadLetter: { retentionMs: 2_592_000_000 },
      delivery: {
        maxInFlight: 64,
        maxUnsettled: 1_000,
        timeoutMs: 600_000,
        backoffMaxMs: 86_400_000,
        retryAfterMaxMs: 300_000,
        connectionsPerOrigin: 1_024,
        maxResponseBytes: 1_048_576,
      },
      memory: {
        bodyBudgetBytes: 134_217_728,
        namespaceBudgetBytes: 100_663_296,
        brokerBudgetBytes: 67_108_864,
        subscriptionBudgetBytes: 33_554_432,
      },
      broker: { maxTtl: 255 },
      source: { catchUp: 'none', catchUpMax: 100 },
      explain: { attempts: 16_384, recentEvents: 131_072, viewers: 16, viewerBytes: 1_048_576 },
      log: { level: 'info' },
      retention: { deletedMs: 86_400_000, timeMs: 604_800_000, unsettled: 'keep' },
      drainMs: 25_000,
      ephemeral: false,
      dataDir: '.tidings',
    })
    assert.deepEqual(new Set([...origins.values()].map(({ from }) => from)), new Set(['default']))
  })

  const flags = { 'data.port': '1' }
  const env = { TIDINGS_DATA_PORT: '2' }
  const configFile = { name: 'c.yaml', text: 'data:\n  port: 3\n' }
  const levels: readonly [SettingSources, number, string][] = [
    [{ flags, env, configFile }, 1, 'flag --data.port'],
    [{ env, configFile }, 2, 'environment TIDINGS_DATA_PORT'],
    [{ env: {}, configFile }, 3, 'c.yaml:2:3'],
    [{ env: {} }, 8080, 'default'],
  ]
  for (const [sources, port, from] of levels) {
    it(`takes data.port from: ${from}`, () => {
      const settings = readSettings(sources)

      assert.equal(settings.data.port, port)
      assert.equal(settings.origins.get('data.port')?.from, from)
    })
  }

  it('knows short flags, and flags without a value', () => {
    const flags = { port: '0', 'admin-port': '0', channel: 'memory', 'data-dir': '/d', ephemeral: true }
    const settings = readSettings({ flags, env: {} })

    assert.deepEqual([settings.data.port, settings.admin.port, settings.dataDir], [0, 0, '/d'])
    assert.equal(settings.ephemeral, true)
  })

  it('keeps events in memory when nothing is to be kept, and says why', () => {
    const settings = readSettings({ flags: { ephemeral: true }, env: {} })

    assert.equal(settings.channel.backend, 'memory')
    assert.deepEqual(settings.origins.get('channel.backend'), { value: 'memory', from: 'flag --ephemeral' })
  })

  it('refuses to keep nothing on disk, in a line that says what to do', () => {
    assert.equal(
      refusalOf({ flags: { ephemeral: true, channel: 'disk' } }),
      'flag --ephemeral keeps nothing, flag --channel (disk) keeps events: leave one of them out, or add --channel memory',
    )
    assert.equal(
      refusalOf({ flags: { ephemeral: true }, ...config('channel: {backend: disk}\n') }),
      'flag --ephemeral keeps nothing, c.yaml:1:11 (disk) keeps events: leave one of them out, or add --channel memory',
    )
  })

  it('spells variables of several words with underscores', () => {
    assert.equal(readSettings({ env: { TIDINGS_DATA_MAX_EVENT_BYTES: '5' } }).data.maxEventBytes, 5)
  })

  it('takes an empty variable for none, and leaves those of others alone', () => {
    const env = { TIDINGS_DATA_PORT: '', TIDINGS_SERVICE_HOST: '10.0.0.1' }

    assert.equal(readSettings({ env }).data.port, 8080)
  })

  it('reads dotted names, and groups left empty, in the config file', () => {
    const settings = readSettings(config('data.host: h\nadmin:\n'))

    assert.equal(settings.data.host, 'h')
  })

  it('cuts the slash at the end of the external URL', () => {
    assert.equal(readSettings({ flags: { 'data.externalUrl': 'https://h/' }, env: {} }).data.externalUrl, 'https://h')
  })

  it('lets PT0S switch Retry-After off', () => {
    assert.equal(readSettings(config('delivery: {retryAfterMax: PT0S}')).delivery.retryAfterMaxMs, 0)
  })

  it('tells everything that is wrong at once, flags first', () => {
    const sources = {
      flags: { prot: '1' },
      env: { TIDINGS_LOG_LEVEL: 'loud' },
      configFile: { name: 'c.yaml', text: 'broker: {maxTtl: 256}\n' },
    }

    assert.equal(
      refusalOf(sources),
      'flag --prot: there is no such setting; `tidings serve --help` lists them\n' +
        'c.yaml:1:10 broker.maxTtl: invalid value: 256: expected a whole number from 1 to 255\n' +
        'environment TIDINGS_LOG_LEVEL log.level: invalid value: loud: ' +
        'expected one of trace, debug, info, warn, error, fatal, silent',
    )
  })

  const refused: readonly { readonly what: string; readonly sources: SettingSources; readonly message: string }[] = [
    {
      what: 'the redis backend',
      sources: { flags: { channel: 'redis' } },
      message:
        'flag --channel channel.backend: invalid value: redis: ' +
        'the redis backend is not available in this version; use --channel disk, memory or kafka',
    },
    {
      what: 'the kafka backend without a cluster',
      sources: { flags: { channel: 'kafka' } },
      message:
        'flag --channel channel.backend: kafka needs to know where: set kafka.bootstrapServers, or KAFKA_BROKERS',
    },
    {
      what: 'to keep nothing, with events in Kafka that could not be found again',
      sources: { flags: { channel: 'kafka', ephemeral: true }, env: { KAFKA_BROKERS: 'k:9092' } },
      message:
        'flag --ephemeral keeps nothing, flag --channel (kafka) keeps events: leave one of them out, or add --channel memory',
    },
    {
      what: 'servers that are none',
      sources: { env: { KAFKA_BROKERS: 'a:9092,b' } },
      message:
        'environment KAFKA_BROKERS kafka.bootstrapServers: invalid value: a:9092,b: ' +
        'expected host:port, or several with commas between',
    },
    ...[
      ['{{ .Name }}', 'expected {{ .Namespace }} and {{ .Name }}, or {{ .UID }}: no two may share a topic'],
      ['{{ .UID }} {{ .Labels }}', '.Labels is not known: expected {{ .Namespace }}, {{ .Name }} or {{ .UID }}'],
      ['a b {{ .UID }}', 'expected at most 249 of the characters a-z, A-Z, 0-9, ., _ and -'],
    ].map(([template = '', message]) => ({
      what: `${template} as the name of a topic`,
      sources: { flags: { 'kafka.brokerTopic': template } },
      message: `flag --kafka.brokerTopic kafka.brokerTopic: invalid value: ${template}: ${message}`,
    })),
    {
      what: 'a port that is no number',
      sources: { env: { TIDINGS_DATA_PORT: 'tcp://10.0.0.1:80' } },
      message:
        'environment TIDINGS_DATA_PORT data.port: invalid value: tcp://10.0.0.1:80: ' +
        'expected a whole number from 0 to 65535',
    },
    {
      what: 'a number below the least',
      sources: config('delivery:\n  maxInFlight: 0\n'),
      message: 'c.yaml:2:3 delivery.maxInFlight: invalid value: 0: expected a whole number from 1 to 10000',
    },
    {
      what: 'a fraction',
      sources: config('drainMs: 1.5\n'),
      message: 'c.yaml:1:1 drainMs: invalid value: 1.5: expected a whole number from 0 to 3600000',
    },
    {
      what: 'a duration that is none',
      sources: { flags: { 'delivery.timeout': '5s' } },
      message:
        'flag --delivery.timeout delivery.timeout: invalid value: 5s: expected an ISO 8601 duration such as PT10S',
    },
    {
      what: 'no time for an attempt',
      sources: { flags: { 'delivery.timeout': 'PT0S' } },
      message:
        'flag --delivery.timeout delivery.timeout: invalid value: PT0S: expected an ISO 8601 duration such as PT10S',
    },
    {
      what: 'neither true nor false',
      sources: config('ephemeral: maybe\n'),
      message: 'c.yaml:1:1 ephemeral: invalid value: maybe: expected true or false',
    },
    {
      what: 'an external URL without scheme',
      sources: config('data: {externalUrl: "broker:80"}\n'),
      message:
        'c.yaml:1:8 data.externalUrl: invalid value: broker:80: expected a URL such as http://broker.example.com',
    },
    {
      what: 'an empty text',
      sources: config('dataDir: ""\n'),
      message: 'c.yaml:1:1 dataDir: invalid value: : expected text',
    },
    {
      what: 'an unknown key of the config file',
      sources: config('data:\n  prot: 1\n'),
      message: 'c.yaml:2:3 data.prot: there is no such setting; `tidings serve --help` lists them',
    },
    {
      what: 'a value in place of a group',
      sources: config('channel:\n  memory: 5\n'),
      message: 'c.yaml:2:3 channel.memory: expected a map with capBytes, retentionBytes',
    },
    {
      what: 'a list in place of the settings',
      sources: config('- a\n'),
      message:
        'c.yaml:1:1 expected a map with ' +
        'data, admin, metrics, channel, kafka, deadLetter, delivery, memory, broker, source, explain, log, retention, drainMs, ephemeral, installation, dataDir',
    },
    {
      what: 'a setting given twice',
      sources: config('data: {port: 1}\ndata.port: 2\n'),
      message: 'c.yaml:2:1 data.port: set twice, first at c.yaml:1:8',
    },
    {
      what: 'a second document',
      sources: config('drainMs: 1\n---\ndrainMs: 2\n'),
      message: 'c.yaml:3:1 expected one document',
    },
    {
      what: 'text that is no YAML',
      sources: config('a: *b\n'),
      message: 'c.yaml:1:4 a: no anchor &b before this alias',
    },
  ]
  for (const { what, sources, message } of refused) {
    it(`refuses ${what}`, () => {
      assert.equal(refusalOf(sources), message)
    })
  }
})

describe('describeSettings', () => {
  it('tells value, origin, flags, variable and purpose of each setting', () => {
    const settings = readSettings({ flags: { port: '9000' }, env: {} })

    const port = describeSettings(settings).find(({ name }) => name === 'data.port')

    assert.deepEqual(port, {
      name: 'data.port',
      value: '9000',
      from: 'flag --port',
      description: 'The data port; 0 takes a free one',
      flags: ['port', 'data.port'],
      variable: 'TIDINGS_DATA_PORT',
    })
  })

  it('describes every setting, and gives each a variable of its own', () => {
    const all = describeSettings(readSettings({ env: {} }))

    assert.deepEqual(
      all.filter(({ description }) => description === ''),
      [],
    )
    assert.equal(new Set(all.map(({ variable }) => variable)).size, all.length)
  })
})

describe('config/settings.example.yaml', () => {
  const text = readFileSync('config/settings.example.yaml', 'utf8')

  it('gives every setting that has a default, with that default', () => {
    const { origins, ...values } = readSettings({ env: {}, configFile: { name: 'example', text } })
    const { origins: defaults, ...expected } = readSettings({ env: {} })

    assert.deepEqual(values, expected)
    for (const [name, { value }] of defaults)
      assert.equal(origins.get(name)?.from === 'default', value === undefined, name)
  })

  it('names the optional ones in comments', () => {
    assert.match(text, /# externalUrl: http/)
    assert.match(text, /\n {2}# port: 9092\n/)
    assert.match(text, /\n {2}# capBytes: 1073741824 /)
  })
})
