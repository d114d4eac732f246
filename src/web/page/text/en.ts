/** Every text of the page in English. Its keys are those of all languages: the compiler misses none. */
export const en = {
  // navigation
  site: 'Site',
  problems: 'Problems',
  journal: 'Journal',
  energy: 'Energy',
  setup: 'Set-up',
  account: 'Account',
  navigation: 'Views',
  back: 'Back',
  skip: 'To the content',

  // how the page stands with the bridge
  live: 'Live',
  connecting: 'Connecting …',
  lost: (time: string) => `No connection. This is how it was at ${time}.`,
  lostAtOnce: 'No connection to the bridge yet.',
  lostHelp: 'The page keeps trying. Off is still sent.',

  // state
  on: 'On',
  off: 'Off',
  lampsAreOn: (count: number) => (count === 1 ? '1 lamp is on' : `${count} lamps are on`),
  allAreOff: (total: number) => (total === 1 ? 'The lamp is off' : `All ${total} lamps are off`),
  someAreOff: (off: number, total: number) => `${off} of ${total} lamps are off`,
  noLamps: 'No plugs yet',
  noLampsHelp: 'Plugs that are found in the network appear under Set-up.',
  countOn: (count: number) => `${count} on`,
  countOff: (count: number) => `${count} off`,
  countUnknown: (count: number) => `${count} not answering`,
  since: (time: string) => `since ${time}`,
  by: {
    web: 'from this page',
    mqtt: 'by MQTT',
    schedule: 'by a schedule',
    bridge: 'by a rule',
    plug: 'at the plug',
  },
  byUser: (name: string) => `by ${name}`,
  brightness: 'Brightness',
  locked: 'Locked',
  noAnswerSince: (time: string) => `No answer since ${time}`,
  noAnswer: 'No answer',
  notHeardYet: 'Not heard yet',
  lampOut: 'Lamp draws no power',
  switchOf: (name: string) => `Switch ${name}`,
  openPlace: (name: string) => `Show ${name}`,
  closePlace: (name: string) => `Hide ${name}`,
  problemsToSee: (count: number) => (count === 1 ? '1 problem' : `${count} problems`),
  doesNotAnswer: (name: string, time: string) => `${name} has not answered since ${time}`,
  doNotAnswer: (count: number) => `${count} plugs do not answer`,

  // commands
  switchAllOff: 'Switch everything off',
  switchOn: 'Switch on',
  askAllOff: (site: string, total: number) => `Switch off all ${total} plugs of ${site}?`,
  askPlaceOn: (place: string, total: number) =>
    total === 1 ? `Switch on ${place}?` : `Switch on all ${total} plugs of ${place}?`,
  askNowOn: (count: number) => (count === 1 ? '1 of them is on now.' : `${count} of them are on now.`),
  askLocked: (count: number) =>
    count === 1 ? '1 locked plug stays as it is.' : `${count} locked plugs stay as they are.`,
  cancel: 'Cancel',
  askedOn: 'Asked to switch on …',
  askedOff: 'Asked to switch off …',
  switchingOff: (name: string) => `Switching off ${name} …`,
  switchingOn: (name: string) => `Switching on ${name} …`,
  areOff: (confirmed: number, total: number) =>
    total === 1
      ? confirmed === 1
        ? 'It is off'
        : 'It did not confirm'
      : confirmed === total
        ? `All ${total} are off`
        : `${confirmed} of ${total} are off`,
  areOn: (confirmed: number, total: number) =>
    total === 1
      ? confirmed === 1
        ? 'It is on'
        : 'It did not confirm'
      : confirmed === total
        ? `All ${total} are on`
        : `${confirmed} of ${total} are on`,
  notConfirmed: (count: number) =>
    count === 1 ? 'This one did not confirm:' : `These ${count} did not confirm:`,
  andMore: (count: number) => `and ${count} more`,
  superseded: 'A later command took over.',
  refusedCommand: 'The command was refused.',
  unreachable: 'The bridge cannot be reached. Nothing is known of this command.',
  tryAgain: 'Try again',
  tryAgainMissing: (count: number) => (count === 1 ? 'Try this one again' : `Try these ${count} again`),
  understood: 'OK',
  receipts: 'Commands',

  // why a plug does not answer, by the bridge's reason
  reasons: {
    timeout: 'It does not answer: no power, or out of reach of the Wi-Fi.',
    refused: 'Something is at its address, but refuses the connection.',
    unreachable: 'The network has no way to it.',
    'unknown-host': 'Its name is not known in the network.',
    closed: 'It closes the connection before it answers.',
    reset: 'It breaks the connection.',
    'bad-answer': 'It answers something that makes no sense.',
    'plug-error': 'It answers with an error of its own.',
    'wrong-plug': 'Another plug is at its address.',
    'not-found': 'It is not found in the network.',
    'login-refused': 'It does not accept the name and password of the Kasa account.',
    'newer-firmware': 'Its firmware speaks a newer protocol.',
    unsupported: 'It is a device of another kind.',
    'no-sockets': 'The bridge has no connections left.',
    flapping: 'It comes and goes.',
    duplicate: 'Another name leads to the same plug.',
    internal: 'An error within the bridge.',
    stopping: 'The bridge is being stopped.',
  } as { readonly [reason: string]: string },

  // a plug
  power: 'Power',
  now: 'Now',
  last24Hours: 'Last 24 hours',
  noHistory: 'Nothing recorded yet.',
  today: 'Today',
  thisMonth: 'This month',
  perDay: 'kWh per day',
  perMonth: 'kWh per month',
  details: 'Details',
  lastAnswer: 'Last answer',
  voltage: 'Voltage',
  current: 'Current',
  counter: 'Meter reading',
  signal: 'Wi-Fi signal',
  signalWords: { good: 'good', fair: 'fair', weak: 'weak' },
  address: 'Address',
  mac: 'MAC',
  model: 'Model',
  firmware: 'Firmware',
  path: 'Path',
  lamp: 'Lamp check',
  lampWords: {
    ok: 'works',
    out: 'draws no power: is the lamp broken?',
    weak: 'draws too little',
    'unexpected-load': 'draws too much: is something else plugged in?',
  } as {
    readonly [state: string]: string;
  },
  motion: 'Motion',
  moves: 'something moves',
  still: 'none',
  ambientLight: 'Ambient light',
  led: 'Light on the plug',
  manage: 'Manage',
  rename: 'Rename',
  move: 'Move to a place',
  newName: 'Name',
  newPlace: 'Place',
  placeHint: 'For example east-wing; empty is the site itself.',
  restart: 'Restart the plug',
  askRestart: (name: string) => `Restart ${name}? Its lamp may go dark for some seconds.`,
  saved: 'Saved.',
  notFound: 'There is no such plug.',
  toSite: 'To the site',

  // problems
  noProblems: 'No problems',
  noProblemsHelp: 'Every plug answers, and nothing else stands out.',
  togetherNote: (count: number) => `${count} plugs, together`,
  problemKinds: {
    offline: 'Does not answer',
    'lamp-out': 'Lamp out',
    'lamp-weak': 'Draws less than usual',
    cloud: 'Connected to the vendor’s cloud',
    clock: 'Clock not set',
    'weak-signal': 'Weak Wi-Fi signal',
    firmware: 'Risky firmware',
    duplicate: 'Configured twice',
  } as { readonly [kind: string]: string },
  problemCures: {
    offline:
      'Look whether it has power and its light is on. Unplug it for ten seconds. If all of a place fail together, look at the fuse or the Wi-Fi there.',
    'lamp-out': 'Replace the lamp, or look whether its own switch is off.',
    'lamp-weak': 'One of several lamps on it may be broken.',
    cloud: 'Unbind it from the account in the Kasa app, so that nobody switches it from elsewhere.',
    clock: 'Its own schedules do not run until it has the time. Let it reach a time server, or restart it.',
    'weak-signal': 'Move the plug or an access point nearer, or keep metal away from it.',
    firmware: 'Do not accept firmware updates for it in the app.',
    duplicate: 'Remove one of the two from the configuration.',
  } as { readonly [kind: string]: string },

  // journal
  when: 'When',
  what: 'What',
  who: 'Who',
  where: 'Where',
  kind: 'Kind',
  everything: 'Everything',
  everywhere: 'Everywhere',
  older: 'Older',
  noEntries: 'No entries.',
  asCsv: 'Save as CSV',
  filter: 'Filter',
  journalKinds: {
    relay: 'Switched',
    receipt: 'Command',
    lamp: 'Lamp',
    energy: 'Meter',
    request: 'Request',
  } as { readonly [kind: string]: string },
  outcomes: {
    confirmed: 'done',
    partial: 'done in part',
    failed: 'failed',
    superseded: 'replaced by a later one',
    expired: 'no answer in time',
    refused: 'refused',
  } as { readonly [outcome: string]: string },

  // energy
  month: 'Month',
  place: 'Place',
  plug: 'Plug',
  cost: 'Cost',
  total: 'Total',
  share: 'Share',
  print: 'Print',
  previousMonth: 'Month before',
  nextMonth: 'Month after',
  noEnergy: 'No plug reports energy for this month.',
  incomplete: 'Incomplete',

  // set-up
  foundPlugs: 'Found plugs',
  look: 'Look for plugs',
  looking: 'Looking …',
  noneFound: 'No plug found that is not taken in already.',
  blink: 'Blink its light',
  takeIn: 'Take in',
  ignore: 'Ignore',
  users: 'Users',
  addUser: 'Add a user',
  role: 'Role',
  roles: { viewer: 'Viewer', staff: 'Staff', admin: 'Admin' } as { readonly [role: string]: string },
  places: 'Places',
  placesHint: 'Places, separated by commas; empty is everywhere.',
  remove: 'Remove',
  askRemove: (name: string) => `Remove ${name}?`,
  kiosks: 'Wall tablets',
  kiosksHelp: 'A tablet opens one place without a password, by a code that can be revoked.',
  addKiosk: 'Add a tablet',
  kioskReady: 'Scan this with the tablet now; it is shown only once.',
  tokens: 'API tokens',
  addToken: 'Add a token',
  tokenReady: 'Copy the token now; it is shown only once.',
  add: 'Add',
  password: 'Password',

  // login and account
  login: 'Log in',
  logout: 'Log out',
  userName: 'Name',
  wrongPassword: 'The name or the password is wrong.',
  tooManyTries: (seconds: string) => `Too many tries. Wait ${seconds} seconds.`,
  changePassword: 'Change password',
  oldPassword: 'Old password',
  newPassword: 'New password',
  passwordChanged: 'The password is changed.',
  language: 'Language',
  theme: 'Colours',
  themes: { auto: 'As the device', light: 'Light', dark: 'Dark' },
  openAccess: 'No users are set up: whoever reaches this page may do everything.',
  failed: (message: string) => `That did not work: ${message}`,
};

type Loose<T> = T extends (...given: infer Given) => string
  ? (...given: Given) => string
  : T extends string
    ? string
    : { readonly [Key in keyof T]: Loose<T[Key]> };

/** The texts of one language. */
export type Words = Loose<typeof en>;
