// A tutorial's manifests, as they are, run by the program: what works without any service does, what lacks one says which,
// and each is ready as soon as a manifest brings it.
import assert from 'node:assert/strict'
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Condition } from '../../src/resource/conditions.ts'
import { eventually } from '../support/eventually.ts'
import { PROJECT, runProgram, type Server, startServerProgram } from '../support/program.ts'

const MANIFESTS = [
  'channel-ma-chaine.yaml',
  'cronjobsource-backup-quotidien.yaml',
  'pingsource-heartbeat.yaml',
  'trigger-mon-trigger-github.yaml',
]
const CHANNEL = 'messaging.knative.dev/v1/namespaces/default/channels/ma-chaine'
const CRON_JOB_SOURCE = 'sources.knative.dev/v1/namespaces/default/cronjobsources/backup-quotidien'
const LACKING = [
  {
    what: 'PingSource',
    at: 'sources.knative.dev/v1/namespaces/default/pingsources/heartbeat',
    lacks: 'mon-service-handler',
  },
  { what: 'CronJobSource', at: CRON_JOB_SOURCE, lacks: 'backup-service' },
  {
    what: 'Trigger',
    at: 'eventing.knative.dev/v1/namespaces/default/triggers/mon-trigger-github',
    lacks: 'build-on-push',
  },
]
/** From the write of a file to what it says being so. */
const SOON_MS = 1_000

describe("the tutorial's manifests", function () {
  this.timeout(30_000)
  let folder: string
  let server: Server

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'tidings-tutorial-'))
    for (const name of MANIFESTS) await copyFile(path.join(PROJECT, 'config/tutorial', name), path.join(folder, name))
    server = await startServerProgram(['-f', folder])
  })

  after(async () => {
    await server[Symbol.asyncDispose]()
    await rm(folder, { recursive: true })
  })

  async function condition(at: string, type: string): Promise<Condition | undefined> {
    const response = await fetch(`${server.adminUrl}/apis/${at}`)
    assert.equal(response.status, 200, at)
    const { status } = (await response.json()) as { status?: { conditions?: readonly Condition[] } }
    return status?.conditions?.find((each) => each.type === type)
  }

  it('are all accepted', () => {
    assert.equal(server.err().includes('MANIFEST_INVALID'), false)
    assert.match(server.out(), /^Tidings is ready: 1 broker, 1 trigger/)
  })

  it('have a Channel that is ready at once', async () => {
    assert.equal((await condition(CHANNEL, 'Ready'))?.status, 'True')
  })

  it('have a CronJobSource that is told to be deprecated', async () => {
    const deprecated = await condition(CRON_JOB_SOURCE, 'Deprecated')

    assert.equal(deprecated?.status, 'True')
    assert.match(deprecated?.message ?? '', /use a PingSource/)
  })

  for (const { what, at, lacks } of LACKING) {
    it(`have a ${what} that names the service it lacks`, async () => {
      const ready = await condition(at, 'Ready')

      assert.equal(ready?.status, 'False')
      assert.match(
        ready?.message ?? '',
        new RegExp(`Service default/${lacks} \\(serving\\.knative\\.dev/v1\\) does not exist`),
      )
    })
  }

  for (const { what, at, lacks } of LACKING) {
    it(`have a ${what} that is ready within a second of its service`, async () => {
      const service = { apiVersion: 'serving.knative.dev/v1', kind: 'Service' }
      const metadata = { name: lacks, annotations: { 'tidings.dev/url': 'http://127.0.0.1:9' } }
      const writtenAt = performance.now()
      await writeFile(path.join(folder, `${lacks}.json`), JSON.stringify({ ...service, metadata, spec: {} }))

      await eventually(async () => (await condition(at, 'Ready'))?.status === 'True', `${what} is ready`)

      const tookMs = Math.round(performance.now() - writtenAt)
      assert.ok(tookMs < SOON_MS, `${tookMs} ms`)
    })
  }

  it('are refused by validate where a fragment or a key that stands twice is among them, by line', async () => {
    await using cleanup = await emptyFolder()
    const fragment = path.join(cleanup.folder, 'fragment.yaml')
    const twice = path.join(cleanup.folder, 'twice.yaml')
    await writeFile(fragment, '# only a part of a Trigger\nspec:\n  delivery:\n    retry: 3\n')
    await writeFile(
      twice,
      'apiVersion: eventing.knative.dev/v1\nkind: Trigger\nmetadata:\n  name: a\nspec:\n  broker: default\n  broker: other\n  subscriber:\n    uri: http://a\n',
    )
    for (const name of MANIFESTS) await copyFile(path.join(folder, name), path.join(cleanup.folder, name))

    const { code, out } = await runProgram(['validate', '-f', cleanup.folder])

    assert.equal(code, 1)
    assert.deepEqual(out.trimEnd().split('\n'), [
      `${fragment}:2:1 apiVersion: missing field(s)`,
      `${fragment}:2:1 kind: missing field(s)`,
      `${twice}:7:3 spec.broker: duplicate key "broker"`,
    ])
  })
})

async function emptyFolder() {
  const folder = await mkdtemp(path.join(tmpdir(), 'tidings-validate-'))
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) }
}
