// Columns that many kinds print. A kind's list of them is in its own file.
import type { Column } from './kind.ts'

export const ageColumn: Column = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' }
export const urlColumn: Column = { name: 'URL', type: 'string', jsonPath: '.status.address.url' }
export const sinkColumn: Column = { name: 'Sink', type: 'string', jsonPath: '.status.sinkUri' }
export const scheduleColumn: Column = { name: 'Schedule', type: 'string', jsonPath: '.spec.schedule' }
export const readyColumn: Column = {
  name: 'Ready',
  type: 'string',
  jsonPath: '.status.conditions[?(@.type=="Ready")].status',
}
export const reasonColumn: Column = {
  name: 'Reason',
  type: 'string',
  jsonPath: '.status.conditions[?(@.type=="Ready")].reason',
}
