import { leaf, open } from './option.ts';
import { baseTopic } from './schema-mqtt.ts';
import { oneOf, text } from './types.ts';

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
