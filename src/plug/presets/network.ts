import { type JsonObject, numberAt, objectsAt, textAt } from '../../protocol/json.ts';
import { answerTo } from '../../protocol/replies.ts';
import type { Query } from '../../protocol/requests.ts';
import { type Plan, type Preset, reading, wrong } from './preset.ts';

/** A scan for networks takes seconds. */
const SCAN_MS = 25_000;

const ASK_CLOUD: Query = { cnCloud: { get_info: {} } };

/** What `key_type` says of a network; also what is written to join one. */
export const SECURITY: readonly string[] = ['open', 'wep', 'wpa', 'wpa2'];

/** Wi-Fi and cloud. */
export const NETWORK_PRESETS: readonly Preset[] = [
  reading('cloudinfo', 'whether the plug is bound to the cloud and talks to it', ASK_CLOUD, readCloud),
  {
    name: 'cloud unbind',
    does: 'take the plug from its cloud account',
    parameters: [],
    readOnly: false,
    plan: () => cloudPlan('unbind', {}),
  },
  {
    name: 'cloud server',
    does: 'have the plug report to another server; one that does not exist keeps it local',
    parameters: ['HOST'],
    readOnly: false,
    plan: ([server = '']) => {
      if (!/^[\w.-]+$/.test(server)) throw wrong('the server must be a host name; a blank one does not work');
      return cloudPlan('set_server_url', { server });
    },
  },
  {
    ...reading(
      'wlanscan',
      'Wi-Fi networks that the plug sees',
      { netif: { get_scaninfo: { refresh: 1, timeout: 10 } } },
      readNetworks,
    ),
    timeoutMs: SCAN_MS,
  },
];

function cloudPlan(method: string, argument: JsonObject): Plan {
  const query: Query = { cnCloud: { [method]: argument, get_info: {} } };
  return {
    query,
    read: (reply) => {
      answerTo(reply, 'cnCloud', method);
      return readCloud(reply);
    },
  };
}

function readCloud(reply: JsonObject): JsonObject {
  const answer = answerTo(reply, 'cnCloud', 'get_info');
  return {
    bound: flagAt(answer, 'binded'),
    connected: flagAt(answer, 'cld_connection'),
    username: textAt(answer, 'username') ?? null,
    server: textAt(answer, 'server') ?? null,
  };
}

function flagAt(answer: JsonObject, key: string): boolean | null {
  const value = numberAt(answer, key);
  return value === undefined ? null : value === 1;
}

function readNetworks(reply: JsonObject): JsonObject {
  const networks = objectsAt(answerTo(reply, 'netif', 'get_scaninfo'), 'ap_list').map((network) => ({
    ssid: textAt(network, 'ssid') ?? null,
    security: SECURITY[numberAt(network, 'key_type') ?? -1] ?? null,
    rssi: numberAt(network, 'rssi') ?? null,
  }));
  return { networks: networks.sort((a, b) => (b.rssi ?? -1000) - (a.rssi ?? -1000)) };
}
