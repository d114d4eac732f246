/** Says of a SQLite database that it is ours: `hs11`. */
export const APPLICATION_ID = 0x68_73_31_31;

/** What takes the schema from each version to the next; never changed, only added to. */
export const MIGRATIONS: readonly string[] = [
  `
  -- Single facts: which old state file was taken over, the name at the broker.
  CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

  -- What each outlet should be. Until the old state file's outlets are identified their key is "path:" and the path.
  CREATE TABLE outlet (
    key TEXT PRIMARY KEY,
    relay INTEGER,
    timer TEXT,
    disarm INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  -- Plugs that were taken in without being configured.
  CREATE TABLE adopted (
    mac TEXT PRIMARY KEY,
    path TEXT NOT NULL,
    host TEXT NOT NULL,
    port INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  -- Which plug answered at the address that is configured for a path.
  CREATE TABLE learnt (path TEXT PRIMARY KEY, address TEXT NOT NULL, mac TEXT NOT NULL) STRICT, WITHOUT ROWID;

  -- Commands until the broker has their receipts.
  CREATE TABLE command (
    id INTEGER PRIMARY KEY,
    target TEXT NOT NULL,
    command TEXT NOT NULL,
    until TEXT NOT NULL,
    receipt TEXT
  ) STRICT;
  CREATE TABLE part (
    command INTEGER NOT NULL REFERENCES command (id) ON DELETE CASCADE,
    path TEXT NOT NULL,
    outlet TEXT,
    relay TEXT,
    settlement TEXT,
    PRIMARY KEY (command, path)
  ) STRICT, WITHOUT ROWID;

  -- Topics of plugs, places and announcements that hold retained messages of ours, to be cleared once they are no more.
  CREATE TABLE retained (topic TEXT PRIMARY KEY, kind TEXT NOT NULL) STRICT, WITHOUT ROWID
  `,
  `
  -- What happened: relays that changed, receipts, lamps that failed. The oldest entries are dropped.
  CREATE TABLE journal (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL, -- milliseconds since 1970
    kind TEXT NOT NULL,
    path TEXT NOT NULL,
    what TEXT,
    origin TEXT,
    user TEXT,
    outcome TEXT,
    ms INTEGER,
    detail TEXT
  ) STRICT;

  -- What each outlet's meter adds up to. Energy is in thousandths of a Wh here and below.
  CREATE TABLE meter (
    outlet TEXT PRIMARY KEY,
    lifetime INTEGER NOT NULL,
    total INTEGER, -- what the plug's own counter showed then
    at INTEGER NOT NULL, -- milliseconds since 1970
    booked TEXT, -- what the plug's own statistics showed of which day, and the lifetime then
    lamp TEXT
  ) STRICT, WITHOUT ROWID;

  -- An outlet at a path, and all that it used there.
  CREATE TABLE source (
    id INTEGER PRIMARY KEY,
    outlet TEXT NOT NULL,
    path TEXT NOT NULL,
    energy INTEGER NOT NULL,
    UNIQUE (outlet, path)
  ) STRICT;

  -- Days of the site's calendar, as 20260105. "late" is the part of it of which only the sum is known, not the day.
  CREATE TABLE energy_day (
    day INTEGER NOT NULL,
    source INTEGER NOT NULL REFERENCES source (id),
    band TEXT NOT NULL,
    energy INTEGER NOT NULL,
    late INTEGER NOT NULL,
    PRIMARY KEY (day, source, band)
  ) STRICT, WITHOUT ROWID;

  -- Each tariff, and the day since which it holds.
  CREATE TABLE tariff (since INTEGER PRIMARY KEY, tariff TEXT NOT NULL) STRICT
  `,
  `
  -- What was found out about a device: what it speaks, and the outlets it has if it is a strip, as JSON.
  CREATE TABLE device (mac TEXT PRIMARY KEY, protocol TEXT NOT NULL, outlets TEXT NOT NULL) STRICT, WITHOUT ROWID
  `,
  `
  -- Changes of the configuration that could not be written into its file, laid over it at each start; values are JSON.
  CREATE TABLE override (
    number INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    before TEXT NOT NULL,
    after TEXT NOT NULL
  ) STRICT
  `,
  `
  -- Who may use the page. "places" is a JSON list of paths, or NULL for all.
  CREATE TABLE user (
    name TEXT PRIMARY KEY COLLATE NOCASE,
    role TEXT NOT NULL,
    places TEXT,
    password TEXT NOT NULL -- a hash in PHC form
  ) STRICT, WITHOUT ROWID;

  -- Who is logged in; "id" is the SHA-256 of what the browser holds.
  CREATE TABLE session (
    id TEXT PRIMARY KEY,
    user TEXT COLLATE NOCASE REFERENCES user (name) ON DELETE CASCADE,
    access TEXT REFERENCES access (id) ON DELETE CASCADE,
    since INTEGER NOT NULL -- it began or was prolonged, in milliseconds since 1970
  ) STRICT, WITHOUT ROWID;

  -- Tokens of programs and of wall tablets; "secret" is the SHA-256 of the token.
  CREATE TABLE access (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    places TEXT,
    secret TEXT NOT NULL UNIQUE,
    since INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID
  `,
  `
  -- Outlets of which the power is kept.
  CREATE TABLE series (id INTEGER PRIMARY KEY, outlet TEXT NOT NULL UNIQUE) STRICT;

  -- Power by minute and by quarter of an hour: seconds since 1970, tenths of a W.
  CREATE TABLE history_minute (
    time INTEGER NOT NULL,
    series INTEGER NOT NULL REFERENCES series (id) ON DELETE CASCADE,
    mean INTEGER NOT NULL,
    min INTEGER NOT NULL,
    max INTEGER NOT NULL,
    PRIMARY KEY (time, series)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE history_quarter (
    time INTEGER NOT NULL,
    series INTEGER NOT NULL REFERENCES series (id) ON DELETE CASCADE,
    mean INTEGER NOT NULL,
    min INTEGER NOT NULL,
    max INTEGER NOT NULL,
    PRIMARY KEY (time, series)
  ) STRICT, WITHOUT ROWID
  `,
];
