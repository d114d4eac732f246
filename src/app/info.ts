import type { LiveConfig } from '../config/live-config.ts';
import type { MqttSession } from '../mqtt/session.ts';
import type { Topics } from '../mqtt/topics.ts';
import type { AdjustableLevel } from '../runtime/log-level.ts';
import type { Surroundings } from './surroundings.ts';

/** What is published of the bridge itself. */
interface InfoParts {
  readonly live: LiveConfig;
  readonly session: MqttSession;
  readonly topics: Topics;
  readonly logLevel: AdjustableLevel;
}

/** Publishes, at each connect, version and configuration without secrets; and when the level of the log is another; returns what does so at any time. */
export function infoFor(
  { live, session, topics, logLevel }: InfoParts,
  { version, clock }: Surroundings,
): () => void {
  let connectedAt: string | undefined;
  const publish = () => {
    if (connectedAt === undefined) return;
    const { config } = live;
    const info = {
      name: 'hs110-mqtt',
      version,
      client_id: session.clientId,
      base_topic: topics.base,
      plugs: config.plugs.length,
      poll_interval_ms: config.poll.interval,
      command_ttl_ms: config.command.ttl,
      output: config.mqtt.output,
      homeassistant: config.homeassistant.discovery,
      log_level: logLevel.level,
      connected_at: connectedAt,
    };
    session.publish({ topic: topics.bridgeInfo, payload: JSON.stringify(info), retain: true, qos: 1 });
  };
  session.onConnect(() => {
    connectedAt = new Date(clock.date()).toISOString();
    publish();
  });
  logLevel.onChange(publish);
  return publish;
}
