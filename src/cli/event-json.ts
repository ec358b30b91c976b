import type { Event } from '../core/event.ts'
import { encodeStructured } from '../http/encode.ts'

/**
 * The event as a CloudEvent in JSON, on one line, with nothing in it that steers a terminal. Sent as
 * `application/cloudevents+json` it is the event again, its data byte for byte: those that would not come through as they
 * are stand in it as base64.
 * @see CloudEvents JSON format 3.1
 */
export function eventJson(event: Event): string {
  const { attributes, data } = event
  const text = encodeStructured(event).body.toString()
  if (data === undefined || !isChanged(text, data.toString())) return escapeControls(text)
  const base64 = data.toString('base64')
  const isOld = attributes['specversion'] === '0.3'
  const members = isOld ? { datacontentencoding: 'base64', data: base64 } : { data_base64: base64 }
  return escapeControls(JSON.stringify({ ...attributes, ...members }))
}

/** Whether JSON data, which stand in the event as they are, would be others without line ends, controls and outer space. */
function isChanged(text: string, data: string): boolean {
  return text.endsWith(`"data":${data}}`) && (data.trim() !== data || data.search(CONTROLS) >= 0)
}

/** Of JSON that was made by us: a text may have these as they are. */
export function escapeControls(json: string): string {
  return json.replace(CONTROLS_IN_TEXTS, (control) => `\\u00${control.charCodeAt(0).toString(16)}`)
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const CONTROLS = /[\u0000-\u001f\u007f-\u009f]/
const CONTROLS_IN_TEXTS = /[\u007f-\u009f]/g
