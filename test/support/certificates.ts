import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A certificate and its key, as text in PEM form. */
export interface Pair {
  readonly cert: string;
  readonly key: string;
}

/** An authority made for a test, a certificate of it for a broker on 127.0.0.1, and those of two clients: bridge and staff. */
export class Certificates {
  /** A folder with all of them: `ca.pem`, `server.pem`, `server.key`, `client.pem`, `client.key`, `staff.pem`, `staff.key`. */
  readonly folder = mkdtempSync(join(tmpdir(), 'hs110-mqtt-certificates-'));
  readonly ca: string;
  readonly server: Pair;
  readonly client: Pair;
  readonly staff: Pair;

  constructor() {
    const days = ['-days', '2'];
    this.#openssl('req', '-x509', ...NEW_KEY, ...days, '-subj', '/CN=Museum', ...to('ca'));
    this.#make('server', '/CN=127.0.0.1', 'subjectAltName=IP:127.0.0.1,DNS:localhost');
    this.#make('client', '/CN=bridge', 'extendedKeyUsage=clientAuth');
    this.#make('staff', '/CN=staff', 'extendedKeyUsage=clientAuth');
    this.ca = this.#read('ca.pem');
    this.server = { cert: this.#read('server.pem'), key: this.#read('server.key') };
    this.client = { cert: this.#read('client.pem'), key: this.#read('client.key') };
    this.staff = { cert: this.#read('staff.pem'), key: this.#read('staff.key') };
  }

  file(name: string): string {
    return join(this.folder, name);
  }

  #make(name: string, subject: string, extension: string): void {
    const signing = ['-x509', '-CA', 'ca.pem', '-CAkey', 'ca.key'];
    const extensions = ['-addext', extension, '-addext', 'basicConstraints=critical,CA:FALSE'];
    this.#openssl('req', ...signing, ...NEW_KEY, '-days', '2', '-subj', subject, ...extensions, ...to(name));
  }

  #read(name: string): string {
    return readFileSync(this.file(name), 'utf8');
  }

  #openssl(...args: string[]): void {
    execFileSync('openssl', args, { cwd: this.folder, stdio: ['ignore', 'ignore', 'pipe'] });
  }
}

const NEW_KEY = ['-newkey', 'rsa:2048', '-nodes'];

function to(name: string): string[] {
  return ['-keyout', `${name}.key`, '-out', `${name}.pem`];
}
