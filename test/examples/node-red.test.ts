import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { Site } from '../support/site.ts';
import { until } from '../support/until.ts';

const EXAMPLES = fileURLToPath(new URL('../../examples/node-red/', import.meta.url));

/** A folder in which node-red@4 is installed, and perhaps Dashboard 2: too much for everybody who works on the project. */
const FOLDER = process.env.TEST_NODE_RED ?? '/nowhere';
const RED = join(FOLDER, 'node_modules/node-red/red.js');
const DASHBOARD = join(FOLDER, 'node_modules/@flowfuse/node-red-dashboard');

interface Node {
  readonly id: string;
  readonly type: string;
  readonly wires?: readonly (readonly string[])[];
  readonly func?: string;
  readonly [key: string]: unknown;
}

const flowsOf = (name: string): Node[] => JSON.parse(readFileSync(EXAMPLES + name, 'utf8'));

describe.each(['museum.json', 'dashboard.json'])('the flow %s', (name) => {
  it('leads to nodes that there are, and its functions are JavaScript', () => {
    const nodes = flowsOf(name);
    const ids = new Set(nodes.map(({ id }) => id));
    expect(ids.size).toBe(nodes.length);
    for (const { wires = [], broker, group, func } of nodes) {
      for (const id of [...wires.flat(), broker, group]) {
        const isNode = id === undefined || ids.has(String(id)) || id === '127.0.0.1';
        expect(isNode, String(id)).toBe(true);
      }
      if (func !== undefined) expect(() => new Function('msg', 'context', 'node', func)).not.toThrow();
    }
  });
});

/** A real Node-RED with one flow, whose debug nodes write to its log. */
class NodeRed {
  readonly #folder = mkdtempSync(join(tmpdir(), 'hs110-mqtt-node-red-'));
  readonly lines: string[] = [];
  #port = 0;
  #child: ChildProcess | undefined;

  async start(nodes: readonly Node[], broker: string): Promise<void> {
    this.#port = await freePort();
    const { port } = new URL(broker);
    const flows = nodes.map((node) => {
      if (node.type === 'mqtt-broker') return { ...node, port };
      return node.type === 'debug' ? { ...node, console: true } : node;
    });
    writeFileSync(join(this.#folder, 'flows.json'), JSON.stringify(flows));
    const settings = { flowFile: 'flows.json', uiHost: '127.0.0.1', uiPort: this.#port, nodesDir: DASHBOARD };
    writeFileSync(
      join(this.#folder, 'settings.js'),
      `module.exports = ${JSON.stringify({ ...settings, credentialSecret: false })};`,
    );
    const child = spawn(
      process.execPath,
      [RED, '-u', this.#folder, '-s', join(this.#folder, 'settings.js')],
      {
        cwd: FOLDER,
        stdio: ['ignore', 'pipe', 'inherit'],
        env: { ...process.env, NO_COLOR: '1' },
      },
    );
    this.#child = child;
    createInterface({ input: child.stdout }).on('line', (line) => this.lines.push(line));
    await this.says('Connected to broker', 40_000);
  }

  /** Presses the button of an inject node. */
  async press(id: string): Promise<void> {
    const { status } = await fetch(`http://127.0.0.1:${this.#port}/inject/${id}`, { method: 'POST' });
    expect(status).toBe(200);
  }

  async says(text: string, withinMs = 15_000): Promise<void> {
    await until(
      () => this.lines.some((line) => line.includes(text)),
      `Node-RED to say: ${text}`,
      withinMs,
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${this.lines.slice(-30).join('\n')}`);
    });
  }

  async stop(): Promise<void> {
    if (this.#child !== undefined) {
      const ended = once(this.#child, 'exit');
      this.#child.kill('SIGKILL');
      await ended;
    }
    rmSync(this.#folder, { recursive: true });
  }
}

describe.skipIf(!existsSync(RED))('a real Node-RED', () => {
  let site: Site;
  const red = new NodeRed();

  beforeAll(async () => {
    site = await Site.open(['shed3', 'east-wing/lamp-1'], {
      poll: { interval: '200ms', timeout: '500ms', offlineAfter: 1 },
    });
    for (const path of site.plugs.keys())
      await site.observer.message(`museum/${path}/availability`, (payload) => payload === 'online');
    await red.start(flowsOf('museum.json'), site.url);
  }, 90_000);

  afterAll(async () => {
    await red.stop();
    await site.close();
  });

  it('switches a plug, and says what its receipt says', async () => {
    await red.press('shed3-on');
    await red.says('museum/shed3 is on');
    expect(site.plug('shed3').device.relay).toBe(true);
  });

  it('says once that all plugs answer', async () => {
    await red.says('all 2 plugs answer');
  });

  it('says how many are off', async () => {
    await red.press('all-off');
    await red.says('2 of 2 are off');
    expect(site.plug('shed3').device.relay).toBe(false);
  });

  it('names who is offline, and who did not confirm', async () => {
    await site.plug('east-wing/lamp-1').server.stop();
    await red.says('offline: east-wing/lamp-1 (');
    const after = await site.observer.say('museum/set', '{"state":"OFF","ttl":"300ms"}');
    await site.observer.message('museum/result', () => true, after);
    await red.says('1 of 2 are off; missing: east-wing/lamp-1 (');
  });

  it('tells when a lamp is on and draws nothing', async () => {
    const dark = { state: 'ON', power: 0, on_since: '2026-01-01T00:00:00Z' };
    await site.observer.say('museum/cellar', JSON.stringify(dark));
    await red.says('cellar is on and draws nothing');
  });

  it('knows nothing of the plugs once the bridge is away', async () => {
    await site.bridge.stop();
    await red.says('the bridge is away: nothing is known of the plugs');
    await site.startBridge();
  });
});

describe.skipIf(!existsSync(RED) || !existsSync(DASHBOARD))('a real Node-RED with Dashboard 2', () => {
  it('knows every node of the flow, and connects', async () => {
    await using site = await Site.open(['shed3']);
    const red = new NodeRed();
    try {
      await red.start(flowsOf('dashboard.json'), site.url);
      expect(red.lines.filter((line) => /missing types|\[error\]/i.test(line))).toEqual([]);
    } finally {
      await red.stop();
    }
  }, 90_000);
});
