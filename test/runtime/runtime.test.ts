import assert from 'node:assert/strict'
import { anEvent } from '../support/builders.ts'
import { eventually } from '../support/eventually.ts'
import { aTrigger, startTestRuntime, type TestRuntime } from '../support/runtime.ts'
import { type ReceivedRequest, startSubscriber } from '../support/subscriber.ts'

const FAST_RETRY = '  delivery:\n    retry: 2\n    backoffPolicy: linear\n    backoffDelay: PT0.01S\n'
const NUMBERS = Array.from({ length: 20 }, (_, i) => String(i))

const DISPLAY = `---
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: show}
spec: {template: {spec: {containers: [{image: example.com/event_display}]}}}
`
const TO_DISPLAY = 'ref: {apiVersion: serving.knative.dev/v1, kind: Service, name: show}'

const aBroker = (name: string): string =>
  `---\napiVersion: eventing.knative.dev/v1\nkind: Broker\nmetadata:\n  name: ${name}\n`
const toBroker = (name: string): string => `ref: {apiVersion: eventing.knative.dev/v1, kind: Broker, name: ${name}}`
const lost = ({ logged }: TestRuntime) => logged.filter(({ level }) => level === 50)
const idsOf = (requests: readonly ReceivedRequest[]): string[] =>
  requests.map(({ headers }) => String(headers['ce-id'])).sort()
const sorted = (ids: readonly string[]): string[] => [...ids].sort()

function aGate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = (): void => undefined
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open: () => open() }
}

async function sendOrders(tidings: TestRuntime, ids: readonly string[] = NUMBERS): Promise<void> {
  for (const id of ids) {
    const { status } = await tidings.send(anEvent({ id, type: 'OrderPlaced' }, { data: '{}' }))
    assert.equal(status, 202)
  }
}

describe('a runtime', () => {
  describe('with OrderPlaced to four triggers and one subscriber down', () => {
    const four = (urls: readonly string[], spec: string): string =>
      urls.map((url, i) => aTrigger(`t${i}`, url, i === 3 ? spec : '')).join('')

    it('gives the other three each event once, and the fourth all when it comes back', async () => {
      await using up = await startSubscriber()
      await using down = await startSubscriber({ status: 503 })
      const manifests = four(
        [`${up.url}/0`, `${up.url}/1`, `${up.url}/2`, down.url],
        '  delivery:\n    retry: 1000\n    backoffPolicy: linear\n    backoffDelay: PT0.001S\n',
      )
      await using tidings = await startTestRuntime(manifests, { 'delivery.backoffMax': 'PT0.05S' })

      await sendOrders(tidings)
      await up.received(60)
      await down.received(40)
      down.script({ status: 202 })
      await eventually(async () => (await tidings.trigger('t3')).delivered === 20, 'the fourth got all')

      for (const path of ['/0', '/1', '/2']) {
        assert.deepEqual(idsOf(up.requests.filter((request) => request.path === path)), sorted(NUMBERS))
      }
      assert.equal(new Set(idsOf(down.requests)).size, 20)
      assert.equal((await tidings.broker()).waiting, 0)
    })

    it('gives the dead letter sink of the fourth all, with what went wrong', async () => {
      await using up = await startSubscriber()
      await using down = await startSubscriber({ status: 503, body: 'no stock' })
      await using sink = await startSubscriber()
      const spec = `${FAST_RETRY}    deadLetterSink:\n      uri: ${sink.url}\n`
      await using tidings = await startTestRuntime(four([up.url, up.url, up.url, down.url], spec))

      await sendOrders(tidings)
      await sink.received(20)

      assert.deepEqual(idsOf(sink.requests), sorted(NUMBERS))
      const [dead] = sink.requests
      assert.equal(dead?.headers['ce-knativeerrordest'], down.url)
      assert.equal(dead?.headers['ce-knativeerrorcode'], '503')
      assert.equal(dead?.headers['ce-knativeerrordata'], Buffer.from('no stock').toString('base64'))
      await eventually(async () => (await tidings.trigger('t3')).deadLettered === 20, 'all are counted')
      assert.equal(up.requests.length, 60)
    })

    it('shows what nobody took waiting in the dead-letter log', async () => {
      await using up = await startSubscriber()
      await using down = await startSubscriber({ status: 400 })
      await using tidings = await startTestRuntime(four([up.url, up.url, up.url, down.url], FAST_RETRY))

      await sendOrders(tidings)
      await eventually(async () => (await tidings.broker()).deadLetters.waiting === 20, 'all are kept')

      const { kept, matched, waiting } = await tidings.trigger('t3')
      assert.deepEqual({ kept, matched, waiting }, { kept: 20, matched: 20, waiting: 0 })
      const { problems } = await tidings.runtime.status()
      assert.ok(problems.some((problem) => problem.includes('20 events that nobody took wait in its dead-letter log')))
      await eventually(() => up.requests.length === 60, 'the others got theirs')
      assert.equal(tidings.logged.filter(({ msg }) => msg === 'not delivered').length, 20)
    })
  })

  it('gives every trigger exactly its set while one subscriber hangs and one always fails', async () => {
    await using up = await startSubscriber()
    await using slow = await startSubscriber('hang')
    await using failing = await startSubscriber({ status: 503 })
    const filtered = (name: string, type: string) =>
      aTrigger(name, `${up.url}/${name}`, `  filter:\n    attributes:\n      type: ${type}\n`)
    const manifests = [
      filtered('a', 'a'),
      filtered('b', 'b'),
      aTrigger('slow', slow.url),
      aTrigger('failing', failing.url),
    ]
    await using tidings = await startTestRuntime(manifests.join(''))

    const ids = Array.from({ length: 200 }, (_, i) => String(i))
    for (const id of ids) await tidings.send(anEvent({ id, type: Number(id) % 2 === 0 ? 'a' : 'b' }))
    await up.received(200)

    const idsAt = (path: string) => idsOf(up.requests.filter((request) => request.path === path))
    assert.deepEqual(idsAt('/a'), sorted(ids.filter((id) => Number(id) % 2 === 0)))
    assert.deepEqual(idsAt('/b'), sorted(ids.filter((id) => Number(id) % 2 === 1)))
  })

  it('puts a reply back into its broker, with the TTL counted down', async () => {
    await using asked = await startSubscriber({
      status: 200,
      headers: { 'ce-specversion': '1.0', 'ce-id': 'r', 'ce-source': '/r', 'ce-type': 'answer' },
    })
    await using answered = await startSubscriber()
    const only = (type: string) => `  filter:\n    attributes:\n      type: ${type}\n`
    await using tidings = await startTestRuntime(
      aTrigger('asked', asked.url, only('question')) + aTrigger('answered', answered.url, only('answer')),
    )

    await tidings.send(anEvent({ type: 'question', knativebrokerttl: '7' }))
    await answered.received(1)

    assert.equal(asked.requests[0]?.headers['ce-knativebrokerttl'], undefined)
    assert.equal(asked.requests[0]?.headers['prefer'], 'reply')
    assert.equal(asked.requests[0]?.headers['kn-namespace'], 'default')
    assert.equal(answered.requests[0]?.headers['ce-id'], 'r')
    assert.equal((await tidings.broker()).accepted, 2)
  })

  it('ends a loop of replies when the TTL is spent, and keeps the last event', async () => {
    await using echo = await startSubscriber({
      status: 200,
      headers: { 'ce-specversion': '1.0', 'ce-id': 'r', 'ce-source': '/r', 'ce-type': 'again' },
    })
    await using tidings = await startTestRuntime(aTrigger('echo', echo.url), { 'broker.maxTtl': '10' })

    await tidings.send(anEvent())
    await eventually(async () => (await tidings.trigger('echo')).kept === 1, 'the loop ended')

    assert.equal(echo.requests.length, 10)
    assert.match(String((await tidings.trigger('echo')).lastFailure), /the reply was refused: .*knativebrokerttl.*loop/)
  })

  it('holds events for a trigger whose subscriber does not resolve, and says why', async () => {
    const manifest = aTrigger('held', 'x').replace(
      /uri: x/,
      'ref:\n      apiVersion: serving.knative.dev/v1\n      kind: Service\n      name: nowhere',
    )
    await using tidings = await startTestRuntime(manifest)

    await sendOrders(tidings)

    const { ready, behind, matched, message } = await tidings.trigger('held')
    assert.deepEqual({ ready, behind, matched }, { ready: 'False', behind: 20, matched: 0 })
    assert.match(
      String(message),
      /Service default\/nowhere \(serving.knative.dev\/v1\) does not exist: add its manifest/,
    )
    assert.equal((await tidings.broker()).waiting, 20)
  })

  it('reports a trigger whose broker does not exist', async () => {
    await using tidings = await startTestRuntime(
      aTrigger('lost', 'http://127.0.0.1:9/').replace('broker: default', 'broker: nope'),
    )

    const { ready, reason, message } = await tidings.trigger('lost')

    assert.deepEqual(
      { ready, reason, message },
      { ready: 'False', reason: 'BrokerDoesNotExist', message: 'Broker "nope" does not exist' },
    )
  })

  it('answers 503 with Retry-After while a full log drains, and loses nothing that it accepted', async () => {
    await using slow = await startSubscriber()
    const data = Buffer.alloc(16 * 1_024)
    await using tidings = await startTestRuntime(aTrigger('slow', slow.url), {
      'channel.memory.capBytes': String(2 ** 20),
    })
    const { opened, open } = aGate()
    slow.script(() => opened.then(() => ({ status: 202 })))

    const answers = []
    for (let i = 0; i < 100; i++) answers.push(await tidings.send(anEvent({ id: String(i) }, { data })))
    open()
    const accepted = answers.filter(({ status }) => status === 202).length
    await eventually(async () => (await tidings.broker()).waiting === 0, 'it drains')

    const refused = answers.find(({ status }) => status === 503)
    assert.ok(accepted > 40 && accepted < 60, `${accepted} were accepted`)
    assert.deepEqual(
      { retryAfter: refused?.retryAfter, text: refused?.text.trim() },
      { retryAfter: '1', text: "the broker's log is full: send the event again later" },
    )
    assert.equal(new Set(idsOf(slow.requests)).size, accepted)
    assert.equal((await tidings.send(anEvent({ id: 'after' }))).status, 202)
  })

  it('drains a full log by itself when every event is answered with a reply', async () => {
    const data = Buffer.alloc(16 * 1_024)
    let open = false
    await using asked = await startSubscriber()
    asked.script(async ({ headers }) => {
      while (!open) await new Promise((resolve) => setTimeout(resolve, 5))
      return {
        status: 200,
        headers: { 'ce-specversion': '1.0', 'ce-id': `r${headers['ce-id']}`, 'ce-source': '/r', 'ce-type': 'answer' },
        body: data,
      }
    })
    await using answered = await startSubscriber()
    const only = (type: string) => `  filter:\n    attributes:\n      type: ${type}\n`
    await using tidings = await startTestRuntime(
      aTrigger('asked', asked.url, only('question')) + aTrigger('answered', answered.url, only('answer')),
      { 'channel.memory.capBytes': String(2 ** 20) },
    )

    let accepted = 0
    for (let full = false; !full; ) {
      const { status } = await tidings.send(anEvent({ id: String(accepted), type: 'question' }, { data }))
      if (status === 202) accepted++
      full = status === 503
    }
    open = true
    await eventually(async () => (await tidings.broker()).waiting === 0, 'it drains', 20_000)

    const { delivered, kept } = await tidings.trigger('asked')
    assert.deepEqual({ delivered, kept }, { delivered: accepted, kept: 0 })
    assert.equal(new Set(idsOf(answered.requests)).size, accepted)
  }).timeout(30_000)

  it('says at the end what was lost with the memory', async () => {
    await using hanging = await startSubscriber('hang')
    await using tidings = await startTestRuntime(aTrigger('hanging', hanging.url))
    await sendOrders(tidings, ['1', '2'])
    await hanging.received(2)

    await tidings.runtime.close()

    const [line] = tidings.logged.filter(({ level }) => level === 50)
    assert.equal(line?.['waiting'], 2)
    assert.equal(line?.['msg'], 'events that waited in memory are lost')
  })

  it('delivers what waits before it ends', async () => {
    await using subscriber = await startSubscriber([{ status: 503 }, { status: 202 }])
    await using tidings = await startTestRuntime(aTrigger('t', subscriber.url), { drainMs: '5000' })
    await sendOrders(tidings, ['1'])

    await tidings.runtime.close()

    assert.equal(subscriber.requests.length, 2)
    assert.deepEqual(
      tidings.logged.filter(({ level }) => level === 50),
      [],
    )
  })

  it('delivers from broker to broker while it ends, dead letters too', async () => {
    const { opened, open } = aGate()
    await using failing = await startSubscriber(() => opened.then(() => ({ status: 400 })))
    await using subscriber = await startSubscriber()
    const sink = `  delivery:\n    deadLetterSink:\n      ${toBroker('a')}\n`
    await using tidings = await startTestRuntime(
      ['a', 'b', 'c'].map(aBroker).join('') +
        aTrigger('first', failing.url, sink) +
        aTrigger('second', 'x').replace('broker: default', 'broker: a').replace('uri: x', toBroker('b')) +
        aTrigger('third', 'x').replace('broker: default', 'broker: b').replace('uri: x', toBroker('c')) +
        aTrigger('last', subscriber.url).replace('broker: default', 'broker: c'),
      { drainMs: '10000' },
    )
    await sendOrders(tidings)
    await failing.received(20)

    const closed = tidings.runtime.close()
    open()
    await closed

    assert.deepEqual(idsOf(subscriber.requests), sorted(NUMBERS))
    assert.deepEqual(lost(tidings), [])
  })

  it('shows events while it ends, and refuses those of others', async () => {
    const { opened, open } = aGate()
    await using failing = await startSubscriber(() => opened.then(() => ({ status: 400 })))
    const sink = `  delivery:\n    deadLetterSink:\n      ${TO_DISPLAY}\n`
    await using tidings = await startTestRuntime(DISPLAY + aTrigger('t', failing.url, sink), { drainMs: '10000' })
    await sendOrders(tidings, ['1'])
    await failing.received(1)

    const closed = tidings.runtime.close()
    const refused = await tidings.send(anEvent({ id: '2' }))
    open()
    await closed

    assert.deepEqual(refused, { status: 503, text: 'shutting down: send the event again later\n', retryAfter: '5' })
    assert.equal(tidings.printed.length, 1)
    assert.deepEqual(lost(tidings), [])
  })

  it('does not wait at the end for what is held', async () => {
    const held = aTrigger('held', 'x').replace('uri: x', TO_DISPLAY)
    await using tidings = await startTestRuntime(held, { drainMs: '60000' })
    await sendOrders(tidings, ['1'])

    await tidings.runtime.close()

    assert.equal(lost(tidings)[0]?.['waiting'], 1)
  })

  it('shows no secrets of a subscriber in its status', async () => {
    await using subscriber = await startSubscriber({ status: 500 })
    const url = subscriber.url.replace('//', '//user:secret@')
    await using tidings = await startTestRuntime(aTrigger('t', `${url}/hook?token=secret`))
    await sendOrders(tidings, ['1'])
    await subscriber.received(1)
    await eventually(async () => (await tidings.trigger('t')).lastFailure !== null, 'it failed')

    const status = await tidings.runtime.status()

    assert.equal(status.triggers[0]?.subscriber, `${subscriber.url}/hook`)
    assert.doesNotMatch(JSON.stringify(status), /secret/)
  })

  it('prints events to the built-in display subscriber', async () => {
    await using tidings = await startTestRuntime(DISPLAY + aTrigger('t', 'x').replace('uri: x', TO_DISPLAY))

    await tidings.send(anEvent({ id: 'seen' }, { data: '{"a":1}' }))
    await eventually(() => tidings.printed.length === 1, 'it prints')

    assert.match(String(tidings.printed[0]), /id: seen/)
  })

  it('has series for a trigger only after its first event', async () => {
    await using subscriber = await startSubscriber()
    const only = '  filter:\n    attributes:\n      type: never\n'
    await using tidings = await startTestRuntime(
      aTrigger('used', subscriber.url) + aTrigger('idle', subscriber.url, only),
    )
    await tidings.send(anEvent())
    await eventually(async () => (await tidings.trigger('used')).delivered === 1, 'delivered')

    const { text } = await tidings.runtime.metrics.scrape()

    assert.match(text, /^tidings_trigger_delivered_total\{namespace="default",broker="default",trigger="used"\} 1$/m)
    assert.match(
      text,
      /^kn_eventing_dispatch_duration_seconds_count\{namespace="default",broker="default",trigger="used"\} 1$/m,
    )
    assert.doesNotMatch(text, /idle/)
  })
})
