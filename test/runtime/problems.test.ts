import assert from 'node:assert/strict'
import { diskProblems, logProblems } from '../../src/runtime/problems.ts'
import { startTestRuntime } from '../support/runtime.ts'

const problemsWith = async (manifests: string): Promise<readonly string[]> => {
  await using tidings = await startTestRuntime(manifests)
  return (await tidings.runtime.status()).problems
}
const NOT_FULL = { backend: 'disk', bytes: 0, retainedBytes: 0, capBytes: 100, retentionBytes: 0, floorHolder: null }
const NO_SINK = 'ref: {apiVersion: v1, kind: Service, name: none}'
const noService = 'Service default/none (v1) does not exist: add its manifest, or use `uri`'

describe('what needs attention', () => {
  it('is what nobody took, with the commands that say why and deliver it again', () => {
    const log = { namespace: 'shop', name: 'main', expired: 0, repliesWaiting: 0, log: NOT_FULL }
    const deadLetters = { waiting: 2, expired: 0, bytes: 1, capBytes: 100, isFull: false }
    const status = { url: '', accepted: 0, unmatched: 0, settled: 0, waiting: 0, ...log, deadLetters }

    assert.deepEqual(logProblems('broker', status), [
      'broker shop/main: 2 events that nobody took wait in its dead-letter log; why: tidings deadletter list --broker main -n shop; deliver again: tidings deadletter redrive --broker main -n shop',
    ])
    assert.match(
      logProblems('channel', { ...status, namespace: 'default' })[0] ?? '',
      /; deliver again: tidings deadletter redrive --channel main$/,
    )
  })

  it('is a disk with little room, if that is known', () => {
    const disk = { dir: '/data', usedBytes: 5, freeBytes: 3 * 2 ** 20, lowSpaceBytes: 2 ** 30, isLow: true }

    assert.deepEqual(diskProblems(disk), [
      'data directory /data: its disk has 3 MiB left, less than 1024 MiB (DiskLow): once it is full, events are refused',
    ])
    assert.deepEqual(diskProblems({ ...disk, isLow: false }), [])
    assert.deepEqual(diskProblems({ ...disk, freeBytes: null }), [])
  })

  it('is a Broker that is not ready', async () => {
    const problems = await problemsWith(`---
apiVersion: eventing.knative.dev/v1
kind: Broker
metadata: {name: b}
spec: {delivery: {deadLetterSink: {${NO_SINK}}}}
`)

    assert.deepEqual(problems, [`Broker default/b: not ready (Unable to get the dead letter sink's URI): ${noService}`])
  })

  it('is a channel that is not ready, once', async () => {
    const problems = await problemsWith(`---
apiVersion: messaging.knative.dev/v1
kind: Channel
metadata: {name: c}
spec: {delivery: {deadLetterSink: {${NO_SINK}}}}
---
apiVersion: messaging.knative.dev/v1
kind: InMemoryChannel
metadata: {name: i}
spec: {delivery: {deadLetterSink: {${NO_SINK}}}}
`)

    assert.deepEqual([...problems].sort(), [
      `Channel default/c: not ready (Unable to get the dead letter sink's URI): ${noService}`,
      `InMemoryChannel default/i: not ready (Unable to get the dead letter sink's URI): ${noService}`,
    ])
  })
})
