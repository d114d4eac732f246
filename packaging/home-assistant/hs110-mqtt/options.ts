/** The options that a user has set in Home Assistant; see config.yaml. */
export interface AddonOptions {
  readonly mqtt_url?: string;
  readonly mqtt_username?: string;
  readonly mqtt_password?: string;
  readonly base_topic: string;
  readonly poll_interval: string;
  readonly log_level: string;
  readonly plugs: readonly { readonly path: string; readonly host?: string; readonly mac?: string }[];
}

/** The broker that Home Assistant knows, as its Supervisor tells. */
export interface MqttService {
  readonly host: string;
  readonly port: number;
  readonly ssl?: boolean;
  readonly username?: string;
  readonly password?: string;
}

/** The Supervisor's end of the network between add-ons, by which the page is reached; only it is answered there. */
const INGRESS = '172.30.32.1:8110';

/** The configuration of the bridge; without a broker of the user's it is that of Home Assistant, else the one inside. */
export function configurationOf(options: AddonOptions, service: MqttService | undefined): object {
  const { base_topic: baseTopic, poll_interval: interval, log_level: level, plugs } = options;
  return {
    mqtt: { baseTopic, ...brokerOf(options, service) },
    poll: { interval },
    log: { level, format: 'pretty' },
    web: { listen: INGRESS, ingress: 'staff' },
    metrics: { listen: '127.0.0.1:9110' },
    ...(plugs.length === 0 ? {} : { plugs }),
  };
}

function brokerOf(
  { mqtt_url: url, mqtt_username, mqtt_password }: AddonOptions,
  service: MqttService | undefined,
): object {
  if (url) {
    return {
      url,
      ...(mqtt_username ? { username: mqtt_username } : {}),
      ...(mqtt_password ? { password: mqtt_password } : {}),
    };
  }
  if (service === undefined) return {};
  const { host, port, ssl, username, password } = service;
  return {
    url: `${ssl ? 'mqtts' : 'mqtt'}://${host}:${port}`,
    ...(username ? { username } : {}),
    ...(password ? { password } : {}),
  };
}
