import { describePage } from '../support/page.ts'

describe('the tutorial', function () {
  this.timeout(120_000)

  describePage({
    file: 'docs/tutorial.md',
    ports: ['8080', '8081', '9000', '9001', '9002', '9003', '9004', '9005', '9006'],
    notRun: [],
    kinds: ['fails', 'run', 'shows', 'start'],
  })
})
