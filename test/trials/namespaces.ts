import { execFileSync, spawnSync } from 'node:child_process';
import process from 'node:process';

/** Where a packet goes that is to be lost: no interface has this address. */
const NOBODY = '02:00:00:00:00:99';
const PLUGS = '02:00:00:00:00:02';
const BRIDGE = '10.77.2.1';

/** Why network namespaces cannot be made here; `undefined` if they can. */
export function noNamespaces(): string | undefined {
  if (process.platform !== 'linux') return 'this is not Linux';
  if (process.getuid?.() !== 0) return 'this is not root';
  const made = spawnSync('unshare', ['--net', 'ip', 'link', 'set', 'lo', 'up'], { encoding: 'utf8' });
  if (made.error !== undefined) return 'there is no unshare (util-linux)';
  return made.status === 0 ? undefined : `no network namespace can be made: ${made.stderr.trim()}`;
}

/** Runs this very program again in a network namespace of its own; returns its exit code. */
export function againInNamespace(mark: string): number {
  const args = ['--net', process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const { status } = spawnSync('unshare', args, { stdio: 'inherit', env: { ...process.env, [mark]: '1' } });
  return status ?? 1;
}

/** A cable from this network namespace to that of the process `pid`, where the plugs are. */
export class Cable {
  /** What runs a command in the network of the plugs. */
  readonly #there: readonly string[];

  /** Lays it, with `addresses` at the far end. */
  constructor(pid: number, addresses: readonly string[]) {
    this.#there = ['nsenter', '-t', `${pid}`, '-n'];
    const near = [
      'link set dev lo up',
      `link add dev near type veth peer name far address ${PLUGS}`,
      `link set dev far netns ${pid}`,
      `address add ${BRIDGE}/16 dev near`,
      'link set dev near up',
    ];
    const far = [
      'link set dev lo up',
      ...addresses.map((address) => `address add ${address}/16 dev far`),
      'link set dev far up',
    ];
    batch([], near);
    batch(this.#there, far);
    this.open(addresses);
  }

  /** From now on what is sent to these addresses is lost without a word. */
  cut(addresses: readonly string[]): void {
    this.#send(addresses, NOBODY);
  }

  open(addresses: readonly string[]): void {
    this.#send(addresses, PLUGS);
  }

  /** Pulls the cable, or plugs it in again. */
  set plugged(plugged: boolean) {
    batch(this.#there, [`link set dev far ${plugged ? 'up' : 'down'}`]);
  }

  #send(addresses: readonly string[], mac: string): void {
    batch(
      [],
      addresses.map((address) => `neighbour replace ${address} lladdr ${mac} dev near nud permanent`),
    );
  }
}

/** Runs lines of `ip`, perhaps behind another command. */
function batch(before: readonly string[], lines: readonly string[]): void {
  const [command = 'ip', ...args] = [...before, 'ip', '-batch', '-'];
  execFileSync(command, args, { input: lines.map((line) => `${line}\n`).join('') });
}
