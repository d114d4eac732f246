import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { PlugRefusal } from '../../src/errors.ts';
import { readCloud } from '../../src/protocol/cloud.ts';
import { isObject, type JsonObject } from '../../src/protocol/json.ts';
import { answerTo } from '../../src/protocol/replies.ts';

/** One question of the Kasa app, and the answer of a plug that is being set up. */
interface Exchange {
  readonly request: JsonObject;
  readonly response: JsonObject;
}

const EXCHANGES: readonly Exchange[] = JSON.parse(
  readFileSync(new URL('../fixtures/app-setup.json', import.meta.url), 'utf8'),
);

/** Module, method and code of each exchange; 0 is done. */
const OUTCOMES = EXCHANGES.map(({ request, response }) => {
  const [module = ''] = Object.keys(request);
  const methods = request[module];
  const [method = ''] = Object.keys(isObject(methods) ? methods : {});
  return [`${module}.${method}`, codeOf(response, module, method)];
});

function codeOf(response: JsonObject, module: string, method: string): unknown {
  try {
    return answerTo(response, module, method).err_code;
  } catch (error) {
    if (error instanceof PlugRefusal) return error.errCode;
    throw error;
  }
}

describe('the answers of a plug that the app sets up', () => {
  it('are read as done or refused, each for what it is', () => {
    expect(OUTCOMES).toEqual([
      ['cnCloud.get_info', 0],
      ['time.set_timezone', 0],
      ['system.set_dev_location', 0],
      ['cnCloud.set_server_url', 0],
      ['cnCloud.set_sefserver_url', -2],
      ['schedule.set_overall_enable', 0],
      ['time.set_timezone', -3],
      ['system.set_dev_alias', 0],
      ['cnCloud.bind', -21],
      ['netif.get_scaninfo', 0],
      ['netif.set_stainfo', 0],
    ]);
  });

  it('begin with a cloud that the plug is not bound to', () => {
    const [first] = EXCHANGES;
    expect(readCloud(answerTo(first?.response ?? {}, 'cnCloud', 'get_info'))).toEqual({
      bound: false,
      connected: false,
    });
  });

  it('leave open what a plug does not say of the cloud', () => {
    expect(readCloud({ err_code: 0 })).toEqual({ bound: undefined, connected: undefined });
  });
});
