import assert from 'node:assert/strict'
import fc from 'fast-check'
import { eventJson } from '../../src/cli/event-json.ts'
import type { Event } from '../../src/core/event.ts'
import { decodeRequest } from '../../src/http/decode.ts'
import { anyEvent } from '../support/any-event.ts'
import { anEvent } from '../support/builders.ts'

const JSON_TYPE = { datacontenttype: 'application/json' }

describe('an event on one line', () => {
  const cases: readonly (readonly [name: string, data: string, member: string])[] = [
    ['has JSON data as they are', '{"b":1, "a":1.0}', '"data":{"b":1, "a":1.0}'],
    ['has JSON over several lines as base64', '{\n"a":1}', '"data_base64":"ewoiYSI6MX0="'],
    ['has JSON with space around it as base64', '{} ', '"data_base64":"e30g"'],
    ['has JSON that would steer a terminal as base64', '"\u009b2J"', '"data_base64":"IsKbMkoi"'],
  ]
  for (const [name, data, member] of cases) {
    it(name, () => {
      const text = eventJson(anEvent(JSON_TYPE, { data }))

      assert.ok(text.endsWith(`${member}}`), text)
    })
  }

  it('has controls in attributes and texts escaped', () => {
    const event = anEvent({ subject: '\u001b[2J\u009b', datacontenttype: 'text/plain' }, { data: 'a\n\u007f' })

    assert.match(eventJson(event), /"subject":"\\u001b\[2J\\u009b".*"data":"a\\n\\u007f"/)
  })

  it('is the event again when it is sent, and steers nothing, whatever the event is', () => {
    const spaced = fc.json().map((json) => ` ${JSON.stringify(JSON.parse(json), undefined, 2)}\r\n`)
    const anyOrSpaced = fc.oneof(
      anyEvent(),
      fc.tuple(anyEvent(), spaced).map(([event, data]): Event => {
        const attributes = { ...event.attributes, ...JSON_TYPE }
        return { ...event, attributes, data: Buffer.from(data) }
      }),
    )
    fc.assert(
      fc.property(anyOrSpaced, (event) => {
        const text = eventJson(event)

        const sent = ['content-type', 'application/cloudevents+json', ...event.headers]
        const options = { allowBatch: false, arrivedAt: event.arrivedAt, maxEventBytes: 2 ** 20 }
        assert.deepEqual(decodeRequest(sent, Buffer.from(text), options), [event])
        // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what may not be in it
        assert.doesNotMatch(text, /[\u0000-\u001f\u007f-\u009f]/)
      }),
    )
  })
})
