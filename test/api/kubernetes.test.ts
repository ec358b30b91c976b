import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import {
  anAdmin,
  triggerManifest as aTrigger,
  startTestAdmin,
  type TestAdmin,
  type TestAdminServer,
} from '../support/admin.ts'

const TRIGGERS = '/apis/eventing.knative.dev/v1/namespaces/default/triggers'

describe('the Kubernetes-shaped API', () => {
  let admin: TestAdmin
  let server: TestAdminServer

  before(async () => {
    admin = anAdmin(`${aTrigger('b', 'http://127.0.0.1:9/b')}${aTrigger('a', 'http://user:secret@127.0.0.1:9/a?x=1')}---
apiVersion: eventing.knative.dev/v1
kind: Broker
metadata: { name: default, namespace: shop }
---
apiVersion: v1
kind: Service
metadata: { name: hook }
spec: { type: ExternalName, externalName: example.com, ports: [{ port: 80 }] }
---
apiVersion: serving.knative.dev/v1
kind: Service
metadata: { name: display }
spec: {}
`)
    server = await startTestAdmin(admin)
  })

  after(() => server.close())

  const get = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(server.url + path, init)
    const body = (await response.json()) as Record<string, unknown>
    return { status: response.status, body, type: response.headers.get('content-type') }
  }

  describe('discovery', () => {
    it('has the core group', async () => {
      assert.deepEqual((await get('/api')).body, {
        kind: 'APIVersions',
        versions: ['v1'],
        serverAddressByClientCIDRs: [],
      })
    })

    it('lists groups by name, each with its versions', async () => {
      const { body } = await get('/apis')

      assert.equal(body['kind'], 'APIGroupList')
      const groups = body['groups'] as readonly { readonly name: string }[]
      assert.deepEqual(
        groups.map(({ name }) => name),
        groups.map(({ name }) => name).sort(),
      )
      assert.deepEqual(
        groups.find(({ name }) => name === 'eventing.knative.dev'),
        {
          name: 'eventing.knative.dev',
          versions: [{ groupVersion: 'eventing.knative.dev/v1', version: 'v1' }],
          preferredVersion: { groupVersion: 'eventing.knative.dev/v1', version: 'v1' },
        },
      )
    })

    it('has one group', async () => {
      const { body } = await get('/apis/serving.knative.dev')

      assert.equal(body['kind'], 'APIGroup')
      assert.equal(body['name'], 'serving.knative.dev')
    })

    it('lists the resources of a group and version', async () => {
      const { body } = await get('/apis/serving.knative.dev/v1')

      assert.deepEqual(body, {
        kind: 'APIResourceList',
        apiVersion: 'v1',
        groupVersion: 'serving.knative.dev/v1',
        resources: [
          {
            name: 'services',
            singularName: 'service',
            namespaced: true,
            kind: 'Service',
            verbs: ['get', 'list'],
            shortNames: ['kservice', 'ksvc'],
            categories: ['all', 'knative', 'serving'],
          },
        ],
      })
    })

    it('lists the resources of the core group', async () => {
      const { body } = await get('/api/v1')

      assert.equal(body['groupVersion'], 'v1')
      const resources = body['resources'] as readonly { readonly name: string }[]
      assert.ok(resources.some(({ name }) => name === 'services'))
    })
  })

  describe('a list', () => {
    it('is sorted, with the version of all', async () => {
      const { body, type } = await get(TRIGGERS)

      assert.equal(type, 'application/json; charset=utf-8')
      assert.equal(body['kind'], 'TriggerList')
      assert.equal(body['apiVersion'], 'eventing.knative.dev/v1')
      assert.deepEqual(body['metadata'], { resourceVersion: '5' })
      assert.deepEqual(namesOf(body), ['default/a', 'default/b'])
    })

    it('is of one namespace or of all', async () => {
      assert.deepEqual(namesOf((await get('/apis/eventing.knative.dev/v1/brokers')).body), ['shop/default'])
      assert.deepEqual(namesOf((await get('/apis/eventing.knative.dev/v1/namespaces/default/brokers')).body), [])
    })

    it('tells kinds of one name apart by their group', async () => {
      assert.deepEqual(namesOf((await get('/api/v1/namespaces/default/services')).body), ['default/hook'])
      assert.deepEqual(namesOf((await get('/apis/serving.knative.dev/v1/services')).body), ['default/display'])
    })

    it('is whole when it is long', async () => {
      const names = Array.from({ length: 401 }, (_, i) => `t${String(i).padStart(4, '0')}`)
      await using long = await startTestAdmin(anAdmin(names.map((name) => aTrigger(name, 'http://a.example')).join('')))

      const response = await fetch(long.url + TRIGGERS)

      assert.deepEqual(
        namesOf((await response.json()) as Record<string, unknown>),
        names.map((name) => `default/${name}`),
      )
    })

    it('holds nobody up when its reader goes away', async () => {
      const manifests = Array.from({ length: 600 }, (_, i) => aTrigger(`t${i}`, 'http://a.example')).join('')
      await using long = await startTestAdmin(anAdmin(manifests))
      const socket = connect(long.port, '127.0.0.1')
      socket.write(`GET ${TRIGGERS} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n`)
      await once(socket, 'data')

      socket.destroy()

      assert.equal((await fetch(`${long.url}/healthz`)).status, 200)
    })

    for (const query of ['watch=true', 'labelSelector=a%3Db', 'fieldSelector=metadata.name%3Da', 'continue=x']) {
      it(`refuses ${query}: an answer without it would be wrong`, async () => {
        const { status, body } = await get(`${TRIGGERS}?${query}`)

        assert.equal(status, 400)
        assert.deepEqual(body['reason'], 'BadRequest')
        assert.deepEqual(body['message'], `${query.split('=')[0]} is not supported here`)
      })
    }

    it('takes what changes nothing about it', async () => {
      assert.equal((await get(`${TRIGGERS}?limit=500&watch=false&labelSelector=`)).status, 200)
    })
  })

  describe('an object', () => {
    it('is the manifest with metadata, and with a status once it has one', async () => {
      const before = (await get(`${TRIGGERS}/b`)).body
      admin.resources.setStatus('eventing.knative.dev/Trigger/default/b', {
        observedGeneration: 1,
        conditions: [],
        subscriberUri: 'http://user:secret@127.0.0.1:9/b',
      })
      const after = (await get(`${TRIGGERS}/b`)).body

      const { uid, ...metadata } = before['metadata'] as Record<string, unknown>
      assert.equal(typeof uid, 'string')
      assert.deepEqual(metadata, {
        name: 'b',
        namespace: 'default',
        labels: { 'eventing.knative.dev/broker': 'default' },
        generation: 1,
        creationTimestamp: '2026-01-02T03:04:05Z',
        resourceVersion: '1',
      })
      assert.equal(before['apiVersion'], 'eventing.knative.dev/v1')
      assert.equal(before['kind'], 'Trigger')
      assert.equal(before['status'], undefined)
      assert.deepEqual(after['status'], {
        observedGeneration: 1,
        conditions: [],
        subscriberUri: 'http://127.0.0.1:9/b',
      })
    })

    it('shows no password of a URL', async () => {
      const { body } = await get(`${TRIGGERS}/a`)

      assert.deepEqual((body['spec'] as Record<string, unknown>)['subscriber'], { uri: 'http://127.0.0.1:9/a?x=1' })
    })
  })

  describe('what is not there', () => {
    it('is told of an object as kubectl shows it', async () => {
      const { status, body } = await get(`${TRIGGERS}/x`)

      assert.equal(status, 404)
      assert.deepEqual(body, {
        kind: 'Status',
        apiVersion: 'v1',
        metadata: {},
        status: 'Failure',
        message: 'triggers.eventing.knative.dev "x" not found',
        reason: 'NotFound',
        details: { name: 'x', group: 'eventing.knative.dev', kind: 'triggers' },
        code: 404,
      })
    })

    it('is told of an object of the core group without a group', async () => {
      assert.equal((await get('/api/v1/namespaces/default/services/x')).body['message'], 'services "x" not found')
    })

    const paths = [
      '/api/v2',
      '/api/v1/nothing',
      '/apis/nothing',
      '/apis/nothing/v1',
      '/apis/eventing.knative.dev/v2',
      '/apis/eventing.knative.dev/v1/nothing',
      '/apis/eventing.knative.dev/v1/Triggers',
      '/apis/eventing.knative.dev/v1/namespaces/default',
      '/apis/eventing.knative.dev/v1/triggers/a',
      `${TRIGGERS}/a/status`,
      '/apis//v1/services',
      '/apis/__proto__/v1',
    ]
    for (const path of paths) {
      it(`is told of ${path}`, async () => {
        const { status, body } = await get(path)

        assert.equal(status, 404)
        assert.equal(body['reason'], 'NotFound')
        assert.equal(body['message'], 'the server could not find the requested resource')
      })
    }
  })

  describe('hostile requests', () => {
    const names = ['a%2Fb', '..%2F..%2Fetc', '%00', '__proto__', 'A', '%F0%9F%98%80', 'x'.repeat(8_000)]
    for (const name of names) {
      it(`find no object ${name.slice(0, 20)}`, async () => {
        const { status, body } = await get(`${TRIGGERS}/${name}`)

        assert.equal(status, 404)
        assert.equal(body['message'], `triggers.eventing.knative.dev "${decodeURIComponent(name)}" not found`)
      })
    }

    for (const namespace of ['default%2Fa', '%2F', '%2F%2F', '*', '..%2Fdefault']) {
      it(`find nothing in namespace ${namespace}`, async () => {
        assert.deepEqual(
          namesOf((await get(`/apis/eventing.knative.dev/v1/namespaces/${namespace}/triggers`)).body),
          [],
        )
      })
    }

    it('find no group that has more than its name', async () => {
      assert.equal((await get('/apis/eventing.knative.dev%2FTrigger/v1/namespaces/default/triggers/a')).status, 404)
    })

    it('are refused when their path cannot be decoded', async () => {
      const { status, body } = await get(`${TRIGGERS}/%E0%A4%A`)

      assert.equal(status, 400)
      assert.equal(body['reason'], 'BadRequest')
    })

    it('are refused when their path is huge', async () => {
      assert.equal((await fetch(`${server.url}${TRIGGERS}/${'x'.repeat(100_000)}`)).status, 431)
    })

    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
      it(`change nothing: ${method}`, async () => {
        const { status, body } = await get(`${TRIGGERS}/a`, { method })

        assert.equal(status, 405)
        assert.equal(body['reason'], 'MethodNotAllowed')
        assert.ok(admin.resources.get('eventing.knative.dev/Trigger/default/a'))
      })
    }
  })
})

function namesOf(list: Record<string, unknown>): string[] {
  const items = list['items'] as readonly { readonly metadata: { readonly namespace: string; readonly name: string } }[]
  return items.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`)
}
