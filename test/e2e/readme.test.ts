import { describePage } from '../support/page.ts'

describe('the README', function () {
  this.timeout(120_000)

  describePage({
    file: 'README.md',
    ports: ['8080', '8081', '9000'],
    notRun: ['npm ci && npm test'],
    kinds: ['fails', 'run', 'shows', 'start'],
  })
})
