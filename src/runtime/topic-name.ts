// Names of Kafka topics, and the templates that they are made from: Go's, as far as upstream's use them.
// @see eventing-kafka-broker control-plane/pkg/apis/config/features.go

export const EXPECTED_TOPIC = 'expected at most 249 of the characters a-z, A-Z, 0-9, ., _ and -'
const LONGEST = 249
const FIELD = /\{\{-?\s*\.(\w+)\s*-?\}\}/g

/** What a template may name. */
export interface TopicOwner {
  readonly Namespace: string
  readonly Name: string
  readonly UID: string
}

const SAMPLE: TopicOwner = { Namespace: 'namespace', Name: 'name', UID: 'uid' }

/** @see Kafka's org.apache.kafka.common.internals.Topic */
export function isTopicName(name: string): boolean {
  return name.length <= LONGEST && /^[A-Za-z0-9._-]+$/.test(name) && name !== '.' && name !== '..'
}

/** What is wrong with a template; undefined when it makes names. */
export function templateProblem(template: string): string | undefined {
  const fields = [...template.matchAll(FIELD)].map(([, name = '']) => name)
  const unknown = fields.find((name) => !Object.hasOwn(SAMPLE, name))
  if (unknown !== undefined) return `.${unknown} is not known: expected {{ .Namespace }}, {{ .Name }} or {{ .UID }}`
  const isPerResource = fields.includes('UID') || (fields.includes('Namespace') && fields.includes('Name'))
  if (!isPerResource) return 'expected {{ .Namespace }} and {{ .Name }}, or {{ .UID }}: no two may share a topic'
  return isTopicName(topicNameOf(template, SAMPLE)) ? undefined : EXPECTED_TOPIC
}

/** Not checked: a long name may make one that is no topic's. */
export function topicNameOf(template: string, owner: TopicOwner): string {
  return template.replace(FIELD, (_, name: keyof TopicOwner) => owner[name])
}
