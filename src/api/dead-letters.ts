// Routes for what waits in dead-letter logs: what it is, and that it be redriven or discarded.
import type express from 'express'
import { printableUrl } from '../http/address.ts'
import type { Admin } from '../runtime/admin.ts'
import type { Letter } from '../runtime/dead-letters.ts'
import { countField, rateField, readFields, yesField } from './fields.ts'
import {
  checkAll,
  checkSelection,
  missingIn,
  SELECTION,
  type SelectionFields,
  selectionOf,
} from './letter-selection.ts'
import { refuse } from './requests.ts'

const MOST_SHOWN = 100
const SHOWN = 20

const ORDER = { ...SELECTION, all: yesField, dryRun: yesField }

export function addDeadLetterRoutes(app: express.Express, { deadLetters, resources }: Admin): void {
  /** Nothing was found: is it because of a name that there is not? */
  function refuseMissing(fields: SelectionFields, response: express.Response): boolean {
    const missing = missingIn(resources, fields)
    if (missing !== undefined) refuse(response, 404, `no ${missing}, and no events that failed for it`)
    return missing !== undefined
  }

  app.get('/tidings/v1/deadletters', async (request, response) => {
    const asked = readFields(request.query, SELECTION, checkSelection)
    if (asked.kind === 'refused') return refuse(response, 400, asked.message)
    const { groups, ...rest } = await deadLetters.list(selectionOf(asked.fields))
    if (groups.length === 0 && rest.isComplete && refuseMissing(asked.fields, response)) return
    response.json({ groups: groups.map(printably), ...rest })
  })

  app.get('/tidings/v1/deadletters/letters', async (request, response) => {
    const asked = readFields(request.query, { ...SELECTION, limit: countField(MOST_SHOWN) }, checkSelection)
    if (asked.kind === 'refused') return refuse(response, 400, asked.message)
    const letters = await deadLetters.show(selectionOf(asked.fields), asked.fields.limit ?? SHOWN)
    if (letters.length === 0 && refuseMissing(asked.fields, response)) return
    response.json({ letters: letters.map(printableLetter) })
  })

  app.post('/tidings/v1/deadletters/redrive', async (request, response) => {
    const asked = readFields(request.body, { ...ORDER, ratePerSecond: rateField }, checkSelection, checkAll)
    if (asked.kind === 'refused') return refuse(response, 400, asked.message)
    const { ratePerSecond, dryRun = false } = asked.fields
    const options = { isDry: dryRun, ...(ratePerSecond !== undefined && { ratePerSecond }) }
    const redriven = await deadLetters.redrive(selectionOf(asked.fields), options)
    if (redriven.length === 0 && refuseMissing(asked.fields, response)) return
    response.json({ redriven })
  })

  app.post('/tidings/v1/deadletters/discard', async (request, response) => {
    const asked = readFields(request.body, ORDER, checkSelection, checkAll)
    if (asked.kind === 'refused') return refuse(response, 400, asked.message)
    const { dryRun = false } = asked.fields
    const discarded = await deadLetters.discard(selectionOf(asked.fields), { isDry: dryRun })
    if (discarded === 0 && refuseMissing(asked.fields, response)) return
    response.json({ discarded })
  })
}

/** Its attributes have the destination too. */
function printableLetter(letter: Letter): Letter {
  const { knativeerrordest, ...attributes } = letter.attributes
  if (knativeerrordest === undefined) return printably(letter)
  const shown = { ...attributes, knativeerrordest: printableUrl(knativeerrordest) }
  return printably({ ...letter, attributes: shown })
}

function printably<T extends { readonly destination: string }>(found: T): T {
  return { ...found, destination: found.destination === '' ? '' : printableUrl(found.destination) }
}
