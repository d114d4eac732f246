import { leaf, open } from './option.ts';
import { baseTopic } from './schema-mqtt.ts';
import { number, oneOf, text } from './types.ts';

/** What Home Assistant is told, and how. */
export const HOMEASSISTANT = {
  discovery: leaf(
    'Announce plugs to Home Assistant: one message per device, one per entity (`single`), or none.',
    oneOf('device', 'single', 'off'),
    'device',
  ),
  prefix: leaf('The discovery prefix of Home Assistant.', baseTopic, 'homeassistant'),
  places: leaf('Whether places are announced as devices of their own.', oneOf('on', 'off'), 'on'),
  areas: leaf(
    'The area that is suggested for a plug or place without `area`: its place on the first level, all the levels of its path, or none.',
    oneOf('first-level', 'path', 'off'),
    'first-level',
  ),
};

/** How a plug or place appears in Home Assistant. */
export const APPEARANCE = {
  area: open('The area that Home Assistant suggests for it; of a place, for its plugs too.', text),
  as: open(
    'What its relay is in Home Assistant; of a place, those of its plugs too. Default: switch.',
    oneOf('switch', 'light'),
  ),
};

const deadband = (unit: string) => ({
  change: open(`By how much it must have changed, in ${unit}.`, number(0, 100_000)),
  percent: open('By how many percent it must have changed; with `change`, by both.', number(0, 100)),
});

/** How much a value must have changed to be published again. Left out: every change is. */
export const REPORT = {
  power: deadband('W'),
  voltage: deadband('V'),
  current: deadband('A'),
  rssi: deadband('dBm'),
};
