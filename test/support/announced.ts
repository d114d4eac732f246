import { isObject, type JsonObject } from '../../src/protocol/json.ts';

type Topics = ReadonlyMap<string, string>;

/** One announced entity, whatever form it was announced in, with what it has from its device. */
interface Announced {
  readonly where: string;
  readonly platform: string;
  readonly options: JsonObject;
  readonly device: JsonObject;
}

/** What is wrong with what is announced to Home Assistant, given the last payload of every topic; sentences. */
export function announcementProblems(topics: Topics, prefix = 'homeassistant'): string[] {
  const entities = [...topics].flatMap(([topic, payload]) =>
    topic.startsWith(`${prefix}/`) && topic.endsWith('/config') && payload !== ''
      ? announcedBy(topic.split('/'), JSON.parse(payload))
      : [],
  );
  const devices = new Set(entities.map(({ device }) => String(device.identifiers)));
  const ids = new Set<string>();
  return entities.flatMap((entity) => [
    ...idProblems(entity, ids),
    ...deviceProblems(entity, devices),
    ...topicProblems(entity, topics),
  ]);
}

function announcedBy(levels: readonly string[], message: JsonObject): Announced[] {
  const { device, components, origin: _, ...shared } = message;
  const where = levels.join('/');
  if (!isObject(device)) return [];
  if (!isObject(components))
    return [{ where, platform: levels.at(-4) ?? '', options: { ...shared }, device }];
  return Object.entries(components).flatMap(([key, component]) =>
    isObject(component)
      ? [
          {
            where: `${where} ${key}`,
            platform: String(component.platform),
            options: { ...shared, ...component },
            device,
          },
        ]
      : [],
  );
}

function idProblems({ where, platform, options }: Announced, ids: Set<string>): string[] {
  const id = `${platform} ${options.unique_id}`;
  const entity = String(options.default_entity_id);
  const doubled = [id, entity].filter((one) => ids.has(one));
  ids.add(id).add(entity);
  return doubled.map((one) => `${where}: there are two of ${one}`);
}

function deviceProblems({ where, device }: Announced, devices: ReadonlySet<string>): string[] {
  const via = device.via_device;
  return via === undefined || devices.has(String(via)) ? [] : [`${where}: its way ${via} is not announced`];
}

function topicProblems({ where, platform, options }: Announced, topics: Topics): string[] {
  const read: (readonly [topic: unknown, template: unknown])[] = [
    [options.json_attributes_topic, options.json_attributes_template],
    ...(platform === 'event'
      ? []
      : [[options.state_topic, options.value_template ?? options.state_value_template] as const]),
    ...availabilities(options.availability),
  ];
  return read.flatMap(([topic, template]) => {
    if (topic === undefined) return [];
    const payload = topics.get(String(topic));
    if (payload === undefined) return [`${where}: nothing is published on ${topic}`];
    return missingPaths(String(template), payload).map((path) => `${where}: there is no ${path} on ${topic}`);
  });
}

function availabilities(availability: unknown): (readonly [unknown, unknown])[] {
  const list: unknown[] = Array.isArray(availability) ? availability : [];
  return list.filter(isObject).map(({ topic, value_template }) => [topic, value_template]);
}

/** Paths such as `value_json.plugs.online` of a template that are not in the payload. */
function missingPaths(template: string, payload: string): string[] {
  return [...template.matchAll(/value_json((?:\.\w+)+)/g)].flatMap(([path, keys = '']) => {
    let value: unknown;
    try {
      value = JSON.parse(payload);
    } catch {
      return [path];
    }
    for (const key of keys.slice(1).split('.')) {
      if (!isObject(value) || !(key in value)) return [path];
      value = value[key];
    }
    return [];
  });
}
