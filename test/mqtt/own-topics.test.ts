import { describe, expect, it } from 'vitest';
import { isOwnTopic } from '../../src/mqtt/own-topics.ts';
import { Topics } from '../../src/mqtt/topics.ts';
import { FakeBridge } from '../support/fake-bridge.ts';

const topics = new Topics('museum');
const bridge = new FakeBridge('shed3', 'east-wing/lamp-1');

describe('a topic', () => {
  it.each([
    'museum',
    'museum/shed3',
    'museum/east-wing',
    'museum/east-wing/lamp-1',
    'museum/shed3/state',
    'museum/shed3/power',
    'museum/shed3/availability',
    'museum/shed3/result',
    'museum/result',
    'museum/of-a-plug-to-come/availability',
    'museum/bridge/state',
    'museum/bridge/health',
    'museum/bridge/response/discover',
  ])('at which only the bridge speaks is %s', (topic) => {
    expect(isOwnTopic(topic, topics, bridge)).toBe(true);
  });

  it.each([
    'museum/shed3/set',
    'museum/shed3/get',
    'museum/set',
    'museum/bridge/request/discover',
    'museum/weather',
    'museums/shed3/state',
    'homeassistant/status',
  ])('at which others may speak is %s', (topic) => {
    expect(isOwnTopic(topic, topics, bridge)).toBe(false);
  });
});
