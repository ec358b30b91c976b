import assert from 'node:assert/strict'
import { startTestRuntime } from '../support/runtime.ts'

const problemsWith = async (manifests: string): Promise<readonly string[]> => {
  await using tidings = await startTestRuntime(manifests)
  return (await tidings.runtime.status()).problems
}
const NO_SINK = 'ref: {apiVersion: v1, kind: Service, name: none}'
const noService = 'Service default/none (v1) does not exist: add its manifest, or use `uri`'

describe('what needs attention', () => {
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
