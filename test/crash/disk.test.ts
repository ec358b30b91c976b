// The proof of the durable log.
import { diskHost } from './disk-host.ts'
import { describeStorms } from './storms.ts'

describeStorms({
  name: 'a crash on disk',
  servers: [],
  openHost: diskHost,
  rounds: { short: 40, long: 1_000 },
  stormRounds: 40,
  mostMsARound: 10_000,
  killsPer10000: 20,
})
