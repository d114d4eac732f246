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
];
