// Manifests as a tutorial has them, to the byte: whole ones are taken as they are, fragments are refused by name and line.
import assert from 'node:assert/strict'
import path from 'node:path'
import { loadManifests, loadPaths } from '../../src/resource/load.ts'
import { formatProblem } from '../../src/resource/problems.ts'

const folder = path.resolve(import.meta.dirname, '../../config/tutorial')
const problemsOf = (text: string) => loadManifests(text, 'f').problems.map(formatProblem)

/** As users have them; the others in the folder are ours. */
const theirs = [
  'channel-ma-chaine.yaml',
  'cronjobsource-backup-quotidien.yaml',
  'pingsource-heartbeat.yaml',
  'trigger-mon-trigger-github.yaml',
]

describe("a tutorial's manifest", () => {
  it('is valid beside the others', async () => {
    const { problems, notices } = await loadPaths([folder])

    assert.deepEqual([problems, notices], [[], []])
  })

  for (const file of theirs) {
    it(`${file} is taken as it is`, async () => {
      const { resources, problems } = await loadPaths([path.join(folder, file)])

      assert.deepEqual(problems, [])
      assert.equal(resources.length, 1)
    })
  }
})

describe("a tutorial's fragment", () => {
  const fragments = [
    { what: 'a spec alone', text: 'spec:\n  traffic:\n  - revisionName: a\n    percent: 100\n' },
    { what: 'metadata alone', text: 'metadata:\n  annotations:\n    autoscaling.knative.dev/min-scale: "1"\n' },
    {
      what: 'a template alone',
      text: '# behind a comment\nspec:\n  template:\n    spec:\n      containers: []\n',
      line: 2,
    },
  ]
  for (const { what, text, line = 1 } of fragments) {
    it(`of ${what} is refused: nobody can tell what it is`, () => {
      assert.deepEqual(problemsOf(text), [
        `f:${line}:1 apiVersion: missing field(s)`,
        `f:${line}:1 kind: missing field(s)`,
      ])
    })
  }

  it('that says two things under one key is refused where it says the second', () => {
    const text =
      'metadata:\n  annotations:\n    # low\n    example.com/target: "5"\n\n    # high\n    example.com/target: "100"\n'

    assert.deepEqual(problemsOf(text), [
      'f:7:5 metadata.annotations[example.com/target]: duplicate key "example.com/target"',
    ])
  })

  it('of two resources without --- between them is refused where the second starts', () => {
    const text = `apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: good}
spec: {}

# not so good
apiVersion: apps/v1
kind: StatefulSet
`

    assert.deepEqual(problemsOf(text), [
      'f:7:1 apiVersion: duplicate key "apiVersion"',
      'f:8:1 kind: duplicate key "kind"',
    ])
  })
})
