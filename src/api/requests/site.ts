import type { Logger } from 'pino';
import type { Asker } from '../../bridge/command.ts';
import { isObject, type JsonObject, textAt } from '../../protocol/json.ts';
import type { Editor, Subject } from './editor.ts';
import { UNLOCK } from './names.ts';
import { type Handler, notUnderstood, type Permission, whoIs } from './request.ts';

export interface SiteRequestOptions {
  readonly editor: Editor;
  readonly permission: Permission;
  /** Sends a plug a command, as `plug/command` does. */
  readonly command: Handler;
  readonly log: Logger;
}

/** The longest name that a plug or place may have. */
const MAX_NAME_LENGTH = 100;

/** Requests that change which plugs there are, where they are and what they are called, and read and set the configuration. */
export function siteRequests({ editor, permission, command, log }: SiteRequestOptions): [string, Handler][] {
  const allowed = (name: string, handler: Handler): [string, Handler] => [
    name,
    async (request, asker) => {
      permission.demand(name, asker);
      const data = await handler(request, asker);
      const { plug, place, path } = request;
      log.info({ request: name, plug: plug ?? path, place, ...whoIs(asker) }, 'changed by a request');
      return data;
    },
  ];
  const mayUnlock = () => permission.grants(UNLOCK);
  return [
    allowed('plug/add', ({ transaction: _, ...entry }) => editor.add(entry)),
    allowed('plug/remove', (request) =>
      editor.remove(demand(request, 'plug', 'send {"plug":"shed3"}'), mayUnlock()),
    ),
    allowed('plug/rename', async (request, asker) => {
      const subject = subjectOf(request);
      const name = nameIn(request);
      if (subject === undefined) throw notUnderstood('send {"plug":"shed3","name":"Shed 3"}, or a "place"');
      const isAlias = request.alias === true;
      if (isAlias) await giveAlias(subject, name, asker, command);
      return editor.rename(subject, name, isAlias);
    }),
    allowed('plug/move', (request) => {
      const subject = subjectOf(request);
      const to = textAt(request, 'to');
      if (subject === undefined || to === undefined)
        throw notUnderstood('send {"plug":"shed3","to":"yard/shed3"}, or a "place" with all that is in it');
      return editor.move(subject, to, mayUnlock());
    }),
    allowed('plug/replace', (request) => {
      const [host, mac] = [textAt(request, 'host'), textAt(request, 'mac')];
      const path = demand(request, 'plug', REPLACE);
      if (host === undefined && mac === undefined) throw notUnderstood(REPLACE);
      return editor.replace(path, { host, mac });
    }),
    allowed('config/set', (request) => {
      const { options } = request;
      if (!isObject(options) || Object.keys(options).length === 0) throw notUnderstood(SET);
      return editor.set(subjectOf(request), options, mayUnlock());
    }),
    ['config/get', (request) => editor.get(subjectOf(request))],
    ['config/export', () => editor.export()],
  ];
}

const REPLACE = 'send {"plug":"shed3","mac":"50:C7:BF:12:34:56"} of the new one, its "host", or both';
const SET =
  'send {"options":{"poll.interval":"2s"}}, with "plug" or "place" for their own; null takes one back';

/** The plug itself is told its new name, as the Kasa app would; first, so that nothing is changed if it does not answer. */
async function giveAlias(
  subject: Subject,
  name: string | null,
  asker: Asker,
  command: Handler,
): Promise<void> {
  if (subject.kind === 'place' || name === null) throw notUnderstood('"alias" goes with the name of a plug');
  await command({ plug: subject.path, command: 'alias', args: [name] }, asker);
}

/** What is meant by `plug` or `place`; `undefined` if there is neither. */
function subjectOf(request: JsonObject): Subject | undefined {
  const plug = textAt(request, 'plug');
  const place = textAt(request, 'place');
  if (plug !== undefined && place !== undefined) throw notUnderstood('"plug" or "place", not both');
  if (plug !== undefined) return { kind: 'plug', path: plug };
  if (place !== undefined) return { kind: 'place', path: place === '/' ? '' : place };
  if (request.plug !== undefined || request.place !== undefined)
    throw notUnderstood('"plug" and "place" are paths');
  return undefined;
}

function nameIn({ name }: JsonObject): string | null {
  if (name === null) return null;
  const text = typeof name === 'string' ? name.trim() : '';
  if (text === '' || text.length > MAX_NAME_LENGTH)
    throw notUnderstood(`"name" is a text of at most ${MAX_NAME_LENGTH} characters, or null for none`);
  return text;
}

function demand(request: JsonObject, key: string, usage: string): string {
  const text = textAt(request, key);
  if (text === undefined) throw notUnderstood(usage);
  return text;
}
