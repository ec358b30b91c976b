import assert from 'node:assert/strict'
import type { Condition } from '../../src/resource/conditions.ts'
import { parseYaml } from '../../src/resource/yaml.ts'
import { anAdmin, startTestAdmin, type TestAdmin, type TestAdminServer, triggerManifest } from '../support/admin.ts'
import { run } from '../support/command.ts'
import { startSubscriber } from '../support/subscriber.ts'

const MANIFESTS = `${triggerManifest('b', 'http://b.example')}${triggerManifest('a', 'http://u:p@a.example')}---
apiVersion: eventing.knative.dev/v1
kind: Broker
metadata: { name: default, namespace: shop }
---
apiVersion: v1
kind: Service
metadata: { name: hook }
spec: { type: ExternalName, externalName: example.com, ports: [{ port: 80 }, { port: 443 }] }
---
apiVersion: serving.knative.dev/v1
kind: Service
metadata: { name: display }
spec: {}
`
const READY: Condition = { type: 'Ready', status: 'True', lastTransitionTime: '2026-01-02T03:04:05.000Z' }

describe('tidings get', () => {
  let admin: TestAdmin
  let server: TestAdminServer

  before(async () => {
    admin = anAdmin(MANIFESTS, {}, Date.now() - 900_000)
    admin.resources.setStatus('eventing.knative.dev/Trigger/default/a', {
      observedGeneration: 1,
      conditions: [READY],
      subscriberUri: 'http://a.example/',
    })
    server = await startTestAdmin(admin)
  })

  after(() => server.close())

  const get = (...words: string[]) => run(['get', ...words], { TIDINGS_SERVER: server.url })

  for (const kind of ['triggers', 'trigger', 'Trigger', 'TRIGGERS', 'triggers.eventing.knative.dev']) {
    it(`prints the columns of ${kind}`, async () => {
      assert.deepEqual(await get(kind), {
        code: 0,
        out: `NAME   BROKER    SUBSCRIBER_URI      AGE   READY   REASON
a      default   http://a.example/   15m   True
b      default                       15m
`,
        err: '',
      })
    })
  }

  it('prints one', async () => {
    const { out } = await get('trigger', 'b')

    assert.equal(out, 'NAME   BROKER    SUBSCRIBER_URI   AGE   READY   REASON\nb      default                    15m\n')
  })

  it('prints those of all namespaces', async () => {
    const { out } = await get('brokers', '-A')

    assert.equal(
      out,
      `NAMESPACE   NAME      URL   AGE   READY   REASON   CLASS\nshop        default         15m                    Tidings\n`,
    )
  })

  it('prints those of one namespace', async () => {
    assert.match((await get('brokers', '-n', 'shop', '-o', 'wide')).out, /^NAME .*\ndefault /)
  })

  it('tells two kinds of one name apart', async () => {
    const names = await Promise.all(
      ['svc', 'services', 'ksvc', 'services.serving.knative.dev'].map((kind) => get(kind, '-o', 'name')),
    )

    assert.deepEqual(
      names.map(({ out }) => out),
      [
        'service/hook\n',
        'service/hook\n',
        'service.serving.knative.dev/display\n',
        'service.serving.knative.dev/display\n',
      ],
    )
  })

  it('prints several values of one column', async () => {
    assert.match((await get('svc')).out, / 80,443 /)
  })

  it('has JSON with items for programs, and without passwords', async () => {
    const { out } = await get('triggers', '-o', 'json')

    const list: unknown = JSON.parse(out)
    const { items, kind } = list as { kind: string; items: { spec: { subscriber: unknown } }[] }
    assert.equal(kind, 'TriggerList')
    assert.deepEqual(
      items.map(({ spec }) => spec.subscriber),
      [{ uri: 'http://a.example/' }, { uri: 'http://b.example' }],
    )
  })

  it('has YAML that says the same', async () => {
    const { out: json } = await get('trigger', 'a', '-o', 'json')
    const { out: yaml } = await get('trigger', 'a', '-o', 'yaml')

    assert.deepEqual(parseYaml(yaml, 'a.yaml').documents[0]?.value, JSON.parse(json))
    assert.match(yaml, /^ {2}creationTimestamp: "\d{4}-\d\d-\d\dT/m)
  })

  it('has an empty list as JSON', async () => {
    const { out, err } = await get('triggers', '-n', 'none', '-o', 'json')

    assert.deepEqual((JSON.parse(out) as { items: unknown }).items, [])
    assert.equal(err, '')
  })

  it('says when there are none', async () => {
    assert.deepEqual(await get('brokers'), { code: 0, out: '', err: 'No resources found in default namespace.\n' })
    assert.deepEqual(await get('channels', '-A'), { code: 0, out: '', err: 'No resources found\n' })
  })

  it('says when one is missing, and where to look', async () => {
    assert.deepEqual(await get('trigger', 'x', '-n', 'shop'), {
      code: 1,
      out: '',
      err: 'there is no Trigger x in namespace shop\nThose that are there: tidings get triggers -n shop\n',
    })
  })

  const mistakes: readonly (readonly [words: readonly string[], says: RegExp])[] = [
    [[], /^tidings get: expected KIND \[NAME\]\nSee: tidings get --help\n$/],
    [['triggers', 'a', 'b'], /^tidings get: unexpected 'b'\n/],
    [['toys'], /^there is no kind 'toys'; there are: brokers, triggers, /],
    [['triggers.example.com'], /^there is no kind 'triggers\.example\.com'; /],
    [['\u001b[2J'], /^there is no kind '·\[2j'; |^there is no kind '·\[2J'; /],
    [['triggers', '-o', 'xml'], /^-o: expected one of wide, json, yaml, name, got 'xml'\n$/],
    [['triggers', 'a', '-A'], /^-A shows all of a kind: give a NAME or -A, not both\n$/],
    [['triggers', '..'], /^expected a name of a-z, 0-9, - and \., got '\.\.'\n$/],
    [['triggers', 'a/../../secrets'], /^expected a name /],
    [['triggers', 'x'.repeat(300)], /^expected a name /],
    [['triggers', '-n', 'a/b'], /^-n: expected a name of a-z, 0-9 and -, got 'a\/b'\n$/],
  ]
  for (const [words, says] of mistakes) {
    it(`refuses ${JSON.stringify(words).slice(0, 60)}`, async () => {
      const { code, out, err } = await get(...words)

      assert.deepEqual({ code, out }, { code: 1, out: '' })
      assert.match(err, says)
    })
  }

  it('says when another server answers', async () => {
    await using other = await startSubscriber({ status: 200, body: '{"items":[7]}' })

    const { code, err } = await run(['get', 'triggers', '--server', other.url])

    assert.equal(code, 1)
    assert.match(err, /answered with something else than a list: is that the admin port of a Tidings server\?\n$/)
  })

  it('prints no control characters of an answer', async () => {
    const body = JSON.stringify({ items: [{ metadata: { name: '\u001b[2J' }, spec: { broker: 'a\nb' } }] })
    await using other = await startSubscriber({ status: 200, body })

    const { out } = await run(['get', 'triggers', '--server', other.url])

    assert.match(out, /^·\[2J {3}a b/m)
  })

  it('finds those of an old group too', async () => {
    const item = (name: string) => JSON.stringify({ kind: 'List', items: [{ metadata: { name } }] })
    await using other = await startSubscriber(({ path }) => ({
      status: 200,
      body: item(path.startsWith('/apis/sources.knative.dev/v1/') ? 'new' : 'old'),
    }))

    const { out } = await run(['get', 'cronjobsources', '-o', 'name', '--server', other.url])

    assert.equal(out, 'cronjobsource.sources.knative.dev/new\ncronjobsource.sources.knative.dev/old\n')
  })
})
