// How events are delivered.
import { broker, type Case } from './case.ts'

const delivery = (fields: string) => broker(`delivery: {${fields}}`)

export const deliveryRules: readonly string[] = [
  'Delivery unknown field',
  'Delivery.retry below 0',
  'Delivery.retry too large',
  'Delivery.retry fraction',
  'Delivery.timeout malformed',
  'Delivery.timeout zero',
  'Delivery.backoffPolicy unknown',
  'Delivery.backoffDelay malformed',
  'Delivery.retryAfterMax negative',
  'Delivery.format unknown',
]

export const deliveryCases: readonly Case[] = [
  {
    rule: 'Broker.spec.delivery wrong type',
    text: broker('delivery: 5'),
    problems: ['4:8 spec.delivery: invalid value: 5: expected a map'],
  },
  {
    rule: 'Delivery unknown field',
    text: delivery('retries: 5'),
    problems: [
      '4:19 spec.delivery.retries: unknown field "retries": known: deadLetterSink, retry, timeout, backoffPolicy, backoffDelay, retryAfterMax, format',
    ],
  },
  {
    rule: 'Delivery.deadLetterSink wrong type',
    text: delivery('deadLetterSink: "http://h/"'),
    problems: ['4:19 spec.delivery.deadLetterSink: invalid value: "http://h/": expected a map'],
  },
  {
    rule: 'Delivery.retry wrong type',
    text: delivery('retry: "3"'),
    problems: ['4:19 spec.delivery.retry: invalid value: "3": expected a whole number'],
  },
  {
    rule: 'Delivery.retry below 0',
    text: delivery('retry: -1'),
    problems: ['4:19 spec.delivery.retry: invalid value: -1: expected at least 0'],
  },
  {
    rule: 'Delivery.retry too large',
    text: delivery('retry: 2147483648'),
    problems: ['4:19 spec.delivery.retry: invalid value: 2147483648: expected at most 2147483647'],
  },
  {
    rule: 'Delivery.retry fraction',
    text: delivery('retry: 1.5'),
    problems: ['4:19 spec.delivery.retry: invalid value: 1.5: expected a whole number'],
  },
  {
    rule: 'Delivery.timeout wrong type',
    text: delivery('timeout: 5'),
    problems: ['4:19 spec.delivery.timeout: invalid value: 5: expected a string'],
  },
  {
    rule: 'Delivery.timeout malformed',
    text: delivery('timeout: 5s'),
    problems: ['4:19 spec.delivery.timeout: invalid value: 5s: expected an ISO 8601 duration such as PT0.2S or P1DT2H'],
  },
  {
    rule: 'Delivery.timeout zero',
    text: delivery('timeout: PT0S'),
    problems: ['4:19 spec.delivery.timeout: invalid value: PT0S: expected more than no time'],
  },
  {
    rule: 'Delivery.backoffPolicy wrong type',
    text: delivery('backoffPolicy: 5'),
    problems: ['4:19 spec.delivery.backoffPolicy: invalid value: 5: expected linear or exponential'],
  },
  {
    rule: 'Delivery.backoffPolicy unknown',
    text: delivery('backoffPolicy: random'),
    problems: ['4:19 spec.delivery.backoffPolicy: invalid value: random: expected linear or exponential'],
  },
  {
    rule: 'Delivery.backoffDelay wrong type',
    text: delivery('backoffDelay: 5'),
    problems: ['4:19 spec.delivery.backoffDelay: invalid value: 5: expected a string'],
  },
  {
    rule: 'Delivery.backoffDelay malformed',
    text: delivery('backoffDelay: 5s'),
    problems: [
      '4:19 spec.delivery.backoffDelay: invalid value: 5s: expected an ISO 8601 duration such as PT0.2S or P1DT2H',
    ],
  },
  {
    rule: 'Delivery.retryAfterMax wrong type',
    text: delivery('retryAfterMax: 5'),
    problems: ['4:19 spec.delivery.retryAfterMax: invalid value: 5: expected a string'],
  },
  {
    rule: 'Delivery.retryAfterMax negative',
    text: delivery('retryAfterMax: -PT5S'),
    problems: [
      '4:19 spec.delivery.retryAfterMax: invalid value: -PT5S: expected an ISO 8601 duration such as PT0.2S or P1DT2H',
    ],
  },
  {
    rule: 'Delivery.format wrong type',
    text: delivery('format: 5'),
    problems: ['4:19 spec.delivery.format: invalid value: 5: expected json or binary'],
  },
  {
    rule: 'Delivery.format unknown',
    text: delivery('format: xml'),
    problems: ['4:19 spec.delivery.format: invalid value: xml: expected json or binary'],
  },
]
