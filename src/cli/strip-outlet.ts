import { CommandError } from '../errors.ts';
import type { Observation } from '../plug/plug-client.ts';
import { isObject, type JsonObject } from '../protocol/json.ts';
import { type OutletReading, type Sysinfo, sysinfoOfOutlet } from '../protocol/replies.ts';

/** The outlet of a strip with that number, from 1 on, or with that name in the Kasa app. Throws CommandError. */
export function outletCalled(word: string, { kind, outlets }: Sysinfo): OutletReading {
  if (kind !== 'strip')
    throw new CommandError('needless-option', '--outlet is for strips only: this device has one relay');
  const found = outlets[Number(word) - 1] ?? outlets.find(({ alias }) => alias === word);
  if (found !== undefined) return found;
  const known = outlets.map(({ alias }, index) => `${index + 1} (${alias ?? 'without a name'})`);
  throw new CommandError(
    'bad-argument',
    `there is no outlet ${JSON.stringify(word)}; there are ${known.join(', ')}`,
  );
}

/** What a strip says of an outlet, as a plug says it of itself. */
export function asOfPlug({ sysinfo, meters }: Observation, id: string): Observation {
  return { sysinfo: sysinfoOfOutlet(sysinfo, id), meter: meters?.get(id) };
}

/** The answer of a strip, what its sysinfo says of the outlets left out but for that one. */
export function replyAsOfPlug(reply: JsonObject, { child }: OutletReading): JsonObject {
  const { system } = reply;
  if (!isObject(system) || !isObject(system.get_sysinfo)) return reply;
  const { children, child_num: _, ...strip } = system.get_sysinfo;
  const told = Array.isArray(children) ? children.filter(isObject) : [];
  const own = told.find(({ id }) => child.endsWith(String(id)));
  const sysinfo = { ...strip, alias: own?.alias, relay_state: own?.state, on_time: own?.on_time };
  return { ...reply, system: { ...system, get_sysinfo: sysinfo } };
}
