import process from 'node:process';
import { parseArgs } from 'node:util';
import { messageOf } from '../../src/errors.ts';
import { noMosquitto } from '../support/mosquitto.ts';
import type { TestedBroker } from './broker.ts';
import { checksOf, type Finding, QUICK, WHOLE } from './conformance.ts';
import { embedded } from './embedded.ts';
import { noGo } from './go.ts';
import { hivemq } from './hivemq.ts';
import { noJava } from './java.ts';
import { mochi, mochiWithUsers } from './mochi.ts';
import { moquette } from './moquette.ts';
import { mosquitto, secureMosquitto } from './mosquitto.ts';
import { Museum } from './museum.ts';
import { nats, natsCluster, secureNats } from './nats.ts';
import { noRabbitMq, rabbitMq, secureRabbitMq } from './rabbitmq.ts';

const USAGE = `npm run brokers -- [NAME...] [--quick]
Tries the bridge with brokers, and prints a table of what it found: one column for each. --quick has shorter outages.`;

interface Candidate {
  /** Why it cannot be had here. */
  readonly missing: string | undefined;
  readonly make: () => Promise<TestedBroker>;
}

const CANDIDATES: ReadonlyMap<string, Candidate> = new Map([
  ['embedded', { missing: undefined, make: embedded }],
  ['mosquitto-5', { missing: noMosquitto, make: () => mosquitto('5') }],
  ['mosquitto-3.1.1', { missing: noMosquitto, make: () => mosquitto('3.1.1') }],
  ['mosquitto-tls', { missing: noMosquitto, make: secureMosquitto }],
  ['mochi', { missing: noGo, make: mochi }],
  ['mochi-users', { missing: noGo, make: mochiWithUsers }],
  ['nats', { missing: noGo, make: nats }],
  ['nats-tls', { missing: noGo, make: secureNats }],
  ['nats-cluster', { missing: noGo, make: natsCluster }],
  ['rabbitmq', { missing: noRabbitMq, make: rabbitMq }],
  ['rabbitmq-tls', { missing: noRabbitMq, make: secureRabbitMq }],
  ['hivemq', { missing: noJava, make: hivemq }],
  ['moquette', { missing: noJava, make: moquette }],
]);

const { values, positionals } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h' } },
  allowPositionals: true,
});
const unknown = positionals.find((name) => !CANDIDATES.has(name));
if (values.help || unknown !== undefined) {
  console.log(`${USAGE}\nBrokers: ${[...CANDIDATES.keys()].join(', ')}`);
  process.exit(values.help ? 0 : 2);
}

const checks = checksOf(values.quick ? QUICK : WHOLE);
const columns = new Map<string, ReadonlyMap<string, Finding>>();
for (const [name, { missing, make }] of CANDIDATES) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  if (missing === undefined) columns.set(name, await tryOut(make));
  else console.error(`${name}: not tried, ${missing}`);
}
console.log(table());
const bad = [...columns].flatMap(([name, findings]) =>
  [...findings]
    .filter(([, { isRight }]) => !isRight)
    .map(([check, { text }]) => `${name}: ${check}: ${text}`),
);
for (const line of bad) console.error(`WRONG  ${line}`);
// Brokers and clients of other people may leave something open behind.
process.exit(bad.length > 0 ? 1 : 0);

async function tryOut(make: () => Promise<TestedBroker>): Promise<ReadonlyMap<string, Finding>> {
  const broker = await make();
  const findings = new Map<string, Finding>();
  try {
    await broker.start(true);
    const museum = await Museum.open(broker);
    for (const [name, check] of checks) {
      const finding = await check(museum, values.quick ? QUICK : WHOLE);
      findings.set(name, finding);
      console.error(`${broker.name}: ${name}: ${finding.text}`);
    }
    await museum.close();
  } catch (error) {
    findings.set('error', { text: messageOf(error), isRight: false });
  } finally {
    await broker.dispose();
  }
  return findings;
}

function table(): string {
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const names = [...columns.keys()];
  const lines = [...checks.keys()].map((check) =>
    row([check, ...names.map((name) => columns.get(name)?.get(check)?.text ?? 'not reached')]),
  );
  return [row(['', ...names]), row(['---', ...names.map(() => '---')]), ...lines].join('\n');
}
