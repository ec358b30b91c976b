// What `npm run test:long` runs: mocha, with its long forms on, for the tests that a part of their titles picks.
//   npm run test:long
//   npm run test:long -- edits
//   npm run test:long -- "crash on disk" --rounds 1000 --seed 7
//   npm run test:long -- "crash on Kafka of the program" --rounds 25 --seed 7
import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'

const { values, positionals } = parseArgs({
  options: { rounds: { type: 'string' }, seed: { type: 'string' } },
  allowPositionals: true,
})
const [word = '', ...others] = positionals
if (others.length > 0) throw new Error(`expected one word, or several in quotes, got '${positionals.join(' ')}'`)

const { status, signal } = spawnSync('mocha', ['test/**/*.test.ts', '-g', `^(?=.*long form)(?=.*${word})`], {
  stdio: 'inherit',
  env: {
    ...process.env,
    LONG: '1',
    ...(values.rounds !== undefined && { ROUNDS: values.rounds }),
    ...(values.seed !== undefined && { SEED: values.seed }),
  },
})
if (signal) console.error(`mocha was ended by ${signal}`)
process.exitCode = status ?? 1
