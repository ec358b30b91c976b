// What upstream's cron makes of schedules, measured with the options of PingSource: the grammar, and clocks that are put
// forward and back. Where a title says "unlike upstream", the reason is in decision 0023.
import type { ScheduleGrammar } from '../../src/core/cron.ts'

interface Asked {
  readonly title: string
  readonly text: string
  readonly timezone?: string
  readonly grammar?: ScheduleGrammar
}

export interface FiringCase extends Asked {
  /** RFC 3339. */
  readonly after: string
  /** The firings that follow. */
  readonly fires: readonly string[]
  /** There are no more than these. */
  readonly isLast?: boolean
}

export interface RefusedCase extends Asked {
  readonly says: string
}

/** A Thursday. */
const NEW_YEAR = '2026-01-01T00:00:00Z'

export const ACCEPTED: readonly FiringCase[] = [
  {
    title: 'five stars fire at second 0 of every minute',
    text: '* * * * *',
    after: NEW_YEAR,
    fires: ['2026-01-01T00:01:00Z', '2026-01-01T00:02:00Z'],
  },
  {
    title: 'six fields begin with seconds',
    text: '*/10 * * * * *',
    after: NEW_YEAR,
    fires: ['2026-01-01T00:00:10Z', '2026-01-01T00:00:20Z'],
  },
  {
    title: 'a question mark is a star, in every field',
    text: '? ? ? ? ? ?',
    after: NEW_YEAR,
    fires: ['2026-01-01T00:00:01Z', '2026-01-01T00:00:02Z'],
  },
  {
    title: 'a number with a step goes on to the end',
    text: '5/15 * * * *',
    after: NEW_YEAR,
    fires: [
      '2026-01-01T00:05:00Z',
      '2026-01-01T00:20:00Z',
      '2026-01-01T00:35:00Z',
      '2026-01-01T00:50:00Z',
      '2026-01-01T01:05:00Z',
    ],
  },
  {
    title: 'a step past the end leaves the first value',
    text: '*/90 * * * *',
    after: NEW_YEAR,
    fires: ['2026-01-01T01:00:00Z', '2026-01-01T02:00:00Z'],
  },
  {
    title: 'a range with a step, and a list',
    text: '10-20/5,55 * * * *',
    after: NEW_YEAR,
    fires: ['2026-01-01T00:10:00Z', '2026-01-01T00:15:00Z', '2026-01-01T00:20:00Z', '2026-01-01T00:55:00Z'],
  },
  {
    title: 'names of months and weekdays in any case',
    text: '0 0 * Feb-MAR mon',
    after: NEW_YEAR,
    fires: ['2026-02-02T00:00:00Z', '2026-02-09T00:00:00Z'],
  },
  {
    title: 'Sunday is 0',
    text: '0 0 * * 0',
    after: NEW_YEAR,
    fires: ['2026-01-04T00:00:00Z', '2026-01-11T00:00:00Z'],
  },
  {
    title: 'a leading plus, as Go reads numbers',
    text: '+5 * * * *',
    after: NEW_YEAR,
    fires: ['2026-01-01T00:05:00Z'],
  },
  { title: 'a star in front of a range', text: '*-5 * * * *', after: NEW_YEAR, fires: ['2026-01-01T00:01:00Z'] },
  {
    title: '@yearly',
    text: '@yearly',
    after: NEW_YEAR,
    fires: ['2027-01-01T00:00:00Z', '2028-01-01T00:00:00Z'],
  },
  { title: '@annually', text: '@annually', after: NEW_YEAR, fires: ['2027-01-01T00:00:00Z'] },
  { title: '@monthly', text: '@monthly', after: NEW_YEAR, fires: ['2026-02-01T00:00:00Z', '2026-03-01T00:00:00Z'] },
  { title: '@weekly', text: '@weekly', after: NEW_YEAR, fires: ['2026-01-04T00:00:00Z', '2026-01-11T00:00:00Z'] },
  { title: '@daily', text: '@daily', after: NEW_YEAR, fires: ['2026-01-02T00:00:00Z', '2026-01-03T00:00:00Z'] },
  { title: '@midnight', text: '@midnight', after: NEW_YEAR, fires: ['2026-01-02T00:00:00Z'] },
  { title: '@hourly', text: '@hourly', after: NEW_YEAR, fires: ['2026-01-01T01:00:00Z', '2026-01-01T02:00:00Z'] },
  {
    title: 'TZ= in front of a descriptor',
    text: 'TZ=UTC @daily',
    timezone: '',
    after: NEW_YEAR,
    fires: ['2026-01-02T00:00:00Z'],
  },
  {
    title: 'CRON_TZ= in front of fields',
    text: 'CRON_TZ=Europe/Paris 0 9 * * *',
    timezone: '',
    after: NEW_YEAR,
    fires: ['2026-01-01T08:00:00Z'],
  },
  {
    title: 'TZ= without a name is UTC',
    text: 'TZ= 0 9 * * *',
    timezone: '',
    after: NEW_YEAR,
    fires: ['2026-01-01T09:00:00Z'],
  },
  {
    title: 'a zone named as POSIX does',
    text: '0 9 * * *',
    timezone: 'Etc/GMT-8',
    after: NEW_YEAR,
    fires: ['2026-01-01T01:00:00Z'],
  },
  {
    title: 'a day that does not exist never fires',
    text: '0 0 31 2 *',
    after: NEW_YEAR,
    fires: [],
    isLast: true,
  },
  { title: 'a field with nothing in it never fires', text: ', * * * *', after: NEW_YEAR, fires: [], isLast: true },
  {
    title: 'white space at both ends and between',
    text: ' \t0  12 * *\u00a0* \n',
    after: NEW_YEAR,
    fires: ['2026-01-01T12:00:00Z'],
  },
  {
    title: 'two limited days: one is enough',
    text: '0 0 13 * 5',
    after: NEW_YEAR,
    fires: ['2026-01-02T00:00:00Z', '2026-01-09T00:00:00Z', '2026-01-13T00:00:00Z', '2026-01-16T00:00:00Z'],
  },
  {
    title: 'a star among the days: both are needed',
    text: '0 0 13 * *,5',
    after: NEW_YEAR,
    fires: ['2026-01-13T00:00:00Z', '2026-02-13T00:00:00Z'],
  },
  {
    title: 'a star with step 1 is a star',
    text: '0 0 */1 * 1',
    after: NEW_YEAR,
    fires: ['2026-01-05T00:00:00Z', '2026-01-12T00:00:00Z'],
  },
  {
    title: 'a stepped star is a limit: odd days or Mondays',
    text: '0 0 */2 * 1',
    after: NEW_YEAR,
    fires: [
      '2026-01-03T00:00:00Z',
      '2026-01-05T00:00:00Z',
      '2026-01-07T00:00:00Z',
      '2026-01-09T00:00:00Z',
      '2026-01-11T00:00:00Z',
      '2026-01-12T00:00:00Z',
    ],
  },
  {
    title: 'the next time is after the one asked about, on a whole second',
    text: '* * * * * *',
    after: '2026-01-01T00:00:00.999Z',
    fires: ['2026-01-01T00:00:01Z', '2026-01-01T00:00:02Z'],
  },
  {
    title: 'the fifth year is still searched',
    text: '0 0 1 1 *',
    timezone: 'Europe/Paris',
    after: '2026-06-01T00:00:00Z',
    fires: ['2026-12-31T23:00:00Z', '2027-12-31T23:00:00Z'],
  },
  {
    title: 'eight years between leap days are too many',
    text: '0 0 29 2 *',
    after: '2092-01-01T00:00:00Z',
    fires: ['2092-02-29T00:00:00Z', '2096-02-29T00:00:00Z'],
    isLast: true,
  },
  {
    title: 'CronJobSource: five fields',
    grammar: 'cron-job',
    text: '*/2 * * * *',
    after: NEW_YEAR,
    fires: ['2026-01-01T00:02:00Z', '2026-01-01T00:04:00Z'],
  },
  {
    title: 'CronJobSource: a descriptor with a zone',
    grammar: 'cron-job',
    timezone: '',
    text: 'CRON_TZ=Europe/Paris @daily',
    after: NEW_YEAR,
    fires: ['2026-01-01T23:00:00Z'],
  },
  {
    title: 'CronJobSource: @every counts from the time asked about',
    grammar: 'cron-job',
    text: '@every 5m',
    after: '2026-01-01T00:01:02.345Z',
    fires: ['2026-01-01T00:06:02Z', '2026-01-01T00:11:02Z'],
  },
  {
    title: 'CronJobSource: @every in several units',
    grammar: 'cron-job',
    text: '@every 1h30m',
    after: NEW_YEAR,
    fires: ['2026-01-01T01:30:00Z', '2026-01-01T03:00:00Z'],
  },
  {
    title: 'CronJobSource: @every in fractions, cut to whole seconds',
    grammar: 'cron-job',
    text: '@every .5m1.9s50ms',
    after: NEW_YEAR,
    fires: ['2026-01-01T00:00:31Z'],
  },
  {
    title: 'CronJobSource: @every less than a second is a second',
    grammar: 'cron-job',
    text: '@every 20ms',
    after: NEW_YEAR,
    fires: ['2026-01-01T00:00:01Z'],
  },
]

const DAY_OF_WEEK = 'day of week: expected a number from 0 to 6 or a name such as SUN, got'
const FORMS = 'expected *, N, N-M, */S, N-M/S or N/S, got'
const ONE_OF = 'expected one of @yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly, got'

export const REFUSED: readonly RefusedCase[] = [
  { title: 'Sunday as 7', text: '0 0 * * 7', says: `${DAY_OF_WEEK} '7'` },
  { title: 'a whole name', text: '0 0 * * thursday', says: `${DAY_OF_WEEK} 'thursday'` },
  { title: 'a step of 0', text: '*/0 * * * *', says: "minute: expected a step that is a positive number, got '*/0'" },
  {
    title: 'a range that wraps around',
    text: '0 22-2 * * *',
    says: "hour: expected a range that does not run backwards, got '22-2'",
  },
  { title: 'L', text: '0 0 L * *', says: "day of month: expected a number from 1 to 31, got 'L'" },
  { title: 'W', text: '0 0 15W * *', says: "day of month: expected a number from 1 to 31, got '15W'" },
  { title: '#', text: '0 0 * * 5#3', says: `${DAY_OF_WEEK} '5#3'` },
  { title: 'H', text: 'H * * * *', says: "minute: expected a number from 0 to 59, got 'H'" },
  {
    title: 'a year',
    text: '0 0 0 1 1 * 2027',
    says: 'expected 5 or 6 fields or a descriptor such as @daily, got 7 fields',
  },
  { title: 'a descriptor with a capital', text: '@Daily', says: `${ONE_OF} '@Daily'` },
  { title: '@reboot', text: '@reboot', says: `${ONE_OF} '@reboot'` },
  { title: '@every', text: '@every 5m', says: 'unsupported descriptor @every' },
  { title: '@every anywhere', text: '* * * * @every', says: 'unsupported descriptor @every' },
  {
    title: 'the zone twice',
    text: 'CRON_TZ=Europe/Paris 0 9 * * *',
    timezone: 'Asia/Tokyo',
    says: "expected the zone once, got timezone 'Asia/Tokyo' and 'CRON_TZ=Europe/Paris'",
  },
  {
    title: 'a zone with nothing after it',
    text: 'TZ=UTC',
    timezone: '',
    says: 'expected 5 or 6 fields or a descriptor such as @daily, got 0 fields',
  },
  {
    title: 'a zone that does not exist',
    text: 'TZ=UTC+8 * * * * *',
    timezone: '',
    says: "provided bad location 'UTC+8': expected a zone of the IANA database such as Europe/Paris, UTC or Local",
  },
  { title: 'nothing', text: '', says: 'expected 5 or 6 fields or a descriptor such as @daily, got 0 fields' },
  {
    title: 'four fields',
    text: '* * * *',
    says: 'expected 5 or 6 fields or a descriptor such as @daily, got 4 fields',
  },
  { title: 'second 60', text: '60 * * * * *', says: "second: expected a number from 0 to 59, got '60'" },
  { title: 'minute 60', text: '60 * * * *', says: "minute: expected a number from 0 to 59, got '60'" },
  { title: 'hour 24', text: '0 24 * * *', says: "hour: expected a number from 0 to 23, got '24'" },
  { title: 'day 0', text: '0 0 0 * *', says: "day of month: expected a number from 1 to 31, got '0'" },
  { title: 'day 32', text: '0 0 1-32 * *', says: "day of month: expected a number from 1 to 31, got '1-32'" },
  {
    title: 'month 0',
    text: '0 0 1 0 *',
    says: "month: expected a number from 1 to 12 or a name such as JAN, got '0'",
  },
  {
    title: 'month 13',
    text: '0 0 1 13 *',
    says: "month: expected a number from 1 to 12 or a name such as JAN, got '13'",
  },
  {
    title: 'the name of another field',
    text: '0 0 1 MON *',
    says: "month: expected a number from 1 to 12 or a name such as JAN, got 'MON'",
  },
  { title: 'a name inherited by objects', text: '0 0 * * constructor', says: `${DAY_OF_WEEK} 'constructor'` },
  {
    title: 'a huge number',
    text: '99999999999999999999 * * * *',
    says: "minute: expected a number from 0 to 59, got '99999999999999999999'",
  },
  {
    title: 'a huge step',
    text: '*/99999999999999999999 * * * *',
    says: "minute: expected a step that is a positive number, got '*/99999999999999999999'",
  },
  { title: 'a negative number', text: '-5 * * * *', says: `minute: ${FORMS} '-5'` },
  { title: 'two hyphens', text: '1-2-3 * * * *', says: "minute: expected a number from 0 to 59, got '1-2-3'" },
  { title: 'two slashes', text: '1/2/3 * * * *', says: `minute: ${FORMS} '1/2/3'` },
  {
    title: 'a negative step',
    text: '*/-5 * * * *',
    says: "minute: expected a step that is a positive number, got '*/-5'",
  },
  {
    title: 'a text that is too long',
    text: '* '.repeat(50_000),
    says: 'expected a schedule of at most 1024 characters, got 100000',
  },
  {
    title: 'CronJobSource: seconds',
    grammar: 'cron-job',
    text: '0 * * * * *',
    says: 'expected 5 fields or a descriptor such as @daily, got 6 fields',
  },
  {
    title: 'CronJobSource: @every without a unit',
    grammar: 'cron-job',
    text: '@every 5',
    says: "@every: expected a duration such as 5m or 1h30m, below 2562048h, got '5'",
  },
  {
    title: 'CronJobSource: @every backwards',
    grammar: 'cron-job',
    text: '@every -5m',
    says: "@every: expected a duration such as 5m or 1h30m, below 2562048h, got '-5m'",
  },
  {
    title: 'CronJobSource: @every for longer than Go counts',
    grammar: 'cron-job',
    text: '@every 2562048h',
    says: "@every: expected a duration such as 5m or 1h30m, below 2562048h, got '2562048h'",
  },
  {
    title: 'CronJobSource: @every without a duration',
    grammar: 'cron-job',
    text: '@every',
    says: `${ONE_OF.replace(', got', ', @every DURATION, got')} '@every'`,
  },
]

export const CLOCK_CHANGES: readonly FiringCase[] = [
  {
    title: 'a local time that is left out is skipped',
    text: '30 2 * * *',
    timezone: 'Europe/Paris',
    after: '2026-03-27T12:00:00Z',
    fires: ['2026-03-28T01:30:00Z', '2026-03-30T00:30:00Z'],
  },
  {
    title: 'a local time that comes twice fires twice',
    text: '30 2 * * *',
    timezone: 'Europe/Paris',
    after: '2026-10-24T12:00:00Z',
    fires: ['2026-10-25T00:30:00Z', '2026-10-25T01:30:00Z', '2026-10-26T01:30:00Z'],
  },
  {
    title: 'every hour is every real hour in spring',
    text: '0 * * * *',
    timezone: 'Europe/Paris',
    after: '2026-03-28T23:00:00Z',
    fires: ['2026-03-29T00:00:00Z', '2026-03-29T01:00:00Z', '2026-03-29T02:00:00Z'],
  },
  {
    title: 'every hour is every real hour in autumn',
    text: '0 * * * *',
    timezone: 'Europe/Paris',
    after: '2026-10-24T23:00:00Z',
    fires: ['2026-10-25T00:00:00Z', '2026-10-25T01:00:00Z', '2026-10-25T02:00:00Z'],
  },
  {
    title: 'a midnight that is left out skips its day',
    text: '0 0 * * *',
    timezone: 'America/Santiago',
    after: '2026-09-04T12:00:00Z',
    fires: ['2026-09-05T04:00:00Z', '2026-09-07T03:00:00Z'],
  },
  {
    title: 'and with a day of the week, its week',
    text: '0 0 * * 0',
    timezone: 'America/Santiago',
    after: '2026-09-01T12:00:00Z',
    fires: ['2026-09-13T03:00:00Z', '2026-09-20T03:00:00Z'],
  },
  {
    title: 'a midnight that comes twice fires twice',
    text: '0 0 1 11 *',
    timezone: 'America/Havana',
    after: '2026-10-01T00:00:00Z',
    fires: ['2026-11-01T04:00:00Z', '2026-11-01T05:00:00Z'],
  },
  {
    title: 'the rest of a day without midnight counts, unlike upstream',
    text: '0 12 * * 5',
    timezone: 'Africa/Cairo',
    after: '2026-04-18T00:00:00Z',
    fires: ['2026-04-24T09:00:00Z', '2026-05-01T09:00:00Z'],
  },
  {
    title: 'clocks that go back by half an hour',
    text: '0,45 1,2 * * *',
    timezone: 'Australia/Lord_Howe',
    after: '2026-04-04T13:30:00Z',
    fires: [
      '2026-04-04T14:00:00Z',
      '2026-04-04T14:45:00Z',
      '2026-04-04T15:15:00Z',
      '2026-04-04T15:30:00Z',
      '2026-04-04T16:15:00Z',
      '2026-04-05T14:30:00Z',
    ],
  },
  {
    title: 'the hour after such a change counts, unlike upstream',
    text: '0 2 * * *',
    timezone: 'Australia/Lord_Howe',
    after: '2026-04-03T00:00:00Z',
    fires: ['2026-04-03T15:00:00Z', '2026-04-04T15:30:00Z', '2026-04-05T15:30:00Z'],
  },
]
