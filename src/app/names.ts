import { type Appearance, Names } from '../bridge/names.ts';
import type { Config } from '../config/schema.ts';
import type { Topics } from '../mqtt/topics.ts';

/** What plugs and places are called and how they are shown, as configured. */
export function namesFor({ plugs, places, homeassistant }: Config, topics: Topics): Names {
  return new Names({
    site: topics.base,
    plugs: new Map(plugs.map((plug) => [plug.path, appearanceOf(plug)])),
    places: new Map(Object.entries(places).map(([path, place]) => [path, appearanceOf(place)])),
    areas: homeassistant.areas,
  });
}

/** What is written about how a plug or place appears. */
export function appearanceOf({ name, area, as }: Appearance): Appearance {
  return { name, area, as };
}
