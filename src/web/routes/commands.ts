import type { FastifyInstance } from 'fastify';
import { decodeCommand } from '../../api/command-json.ts';
import { unattempted } from '../../bridge/command.ts';
import { within } from '../../runtime/supervisor.ts';
import type { WebContext } from '../context.ts';
import { receiptText } from '../json.ts';
import { Command, Failure, Receipt } from '../schemas.ts';

/** Longer than this no request is kept waiting: the receipt is an event by then. */
const RECEIPT_MS = 25_000;

/** Adds the one way to switch: a command, as on MQTT, answered with its receipt. */
export function addCommandRoutes(app: FastifyInstance, { bridge, clock }: WebContext): void {
  app.post<{ Body: Command }>(
    '/api/commands',
    { schema: { body: Command, response: { 200: Receipt, 202: Receipt, 400: Failure } } },
    async (request, reply) => {
      const { target, ...fields } = request.body;
      const decoded = decodeCommand(Buffer.from(JSON.stringify(fields)), { origin: 'web', user: null });
      reply.type('application/json');
      if ('refused' in decoded) {
        const nothing = { id: decoded.id, relay: undefined, led: undefined, replyTo: undefined };
        return reply.code(400).send(receiptText(unattempted(target, nothing, 'refused', decoded.refused)));
      }
      const receipt = bridge.command(target, decoded.command) ?? Promise.resolve(undefined);
      let ended: Awaited<typeof receipt>;
      await within(
        clock,
        RECEIPT_MS,
        receipt.then((one) => {
          ended = one;
        }),
      );
      if (ended !== undefined) return reply.send(receiptText(ended));
      return reply.code(202).send({ id: decoded.command.id, target });
    },
  );
}
